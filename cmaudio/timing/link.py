"""Synchronises a clock with an Ableton Link session: tempo, beat, start and stop, in both directions.

A thread compares them twenty times per second. Small differences are corrected gradually; where the session jumps, the
clock jumps with it. Changes made to the clock are sent immediately.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from cmaudio.callbacks import call_guarded
from cmaudio.checks import in_range
from cmaudio.timing.heard_time import HeardTime
from cmaudio.timing.link_session import LINK_TEMPO_RANGE, LinkSession, SessionState
from cmaudio.timing.tempo import SAME_BEAT, TEMPO_RANGE, next_multiple
from cmaudio.timing.transport import Change, Transport

NAME = "Ableton Link"
QUANTUM_RANGE = (1.0, 64.0)
_LOOK_EVERY_SECONDS = 0.05
_JUMP_BEATS = 0.5  # larger differences cannot be corrected gradually within a beat
_SAME_SECONDS = 20e-6
_SAME_TEMPO = 1e-5  # of the tempo: a session rounds to whole microseconds per beat
_JOINING_SECONDS = 2.0
_NOTICE_EVERY_SECONDS = 10.0


class Link:
    """Synchronises `transport` and `session` until it is closed; created by `Instrument.connect_link`.

    Args:
        transport: the clock.
        session: the session.
        heard: maps the transport's samples to times.
        quantum: beats per bar; bars start together.
        start_stop: whether start and stop are shared as well.
        on_notice: called with one line when peers come and go, and when the session jumps, at most every 10 s for each.
        now: the time in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        session: LinkSession,
        heard: HeardTime,
        *,
        quantum: float = 4.0,
        start_stop: bool = True,
        on_notice: Callable[[str], None] | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.quantum, self.start_stop = in_range("quantum", quantum, *QUANTUM_RANGE, "beats"), start_stop
        self._transport, self._session, self._heard_time, self._on_notice = transport, session, heard, on_notice
        self._offset_ms, self._now = 0.0, now
        self._noticed_at: dict[str, float] = {}
        self._applying = self._failed = False
        # Jumps before this are expected: a peer has joined, or the clock was moved.
        self._calm_from = self._now() + _JOINING_SECONDS
        with transport.lock:
            state = session.state()
            self._requested_tempo = transport.tempo
            self._state, self._playing = state, state.playing
            transport.led_by = NAME
            self._unsubscribe = transport.subscribe(self._send)
            if not state.peers:
                self._move_session(transport.edge)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cmaudio-link", daemon=True)
        self._thread.start()

    @property
    def peers(self) -> int:
        """Number of other programs in the session."""
        return self._state.peers

    @property
    def tempo(self) -> float:
        """The session's tempo in beats per minute."""
        return self._state.tempo

    @property
    def closed(self) -> bool:
        """Whether it has left the session."""
        return self._ending.is_set()

    @property
    def offset_ms(self) -> float:
        """How much later the beat sounds than the session's, to compensate for speakers and sound cards."""
        return self._offset_ms

    @offset_ms.setter
    def offset_ms(self, offset_ms: float) -> None:
        self._offset_ms = in_range("offset_ms", offset_ms, -1000, 1000, "milliseconds")

    def close(self) -> None:
        """Leave the session; the clock continues on its own."""
        if self._ending.is_set():
            return
        self._ending.set()
        self._thread.join()
        self._unsubscribe()
        with self._transport.lock:
            self._transport.led_by = None
            self._session.close()

    # -- from the clock to the session ---------------------------------------------------------------------------------

    def _send(self, change: Change) -> None:
        """Send a change of the clock to the session, which follows at once; the clock's lock is held."""
        if self._applying:
            return
        if change.kind == "tempo":
            tempo = self._transport.map.tempo_at(change.sample)
            self._requested_tempo = tempo
            self._session.set_tempo(tempo, self._now())
            low, high = LINK_TEMPO_RANGE
            if not low <= tempo <= high:
                self._report("own tempo", f"has tempos of {low:g} to {high:g}, so {tempo:g} is played at the nearest")
            return
        self._calm_from = self._now() + _JOINING_SECONDS
        if self.start_stop and change.kind in ("start", "stop"):
            self._playing = change.kind == "start"
            self._session.set_playing(self._playing, self._seconds_at(change.sample))
        if change.kind != "stop" and not self._session.state().peers:
            self._move_session(change.sample)

    def _move_session(self, sample: float) -> None:
        self._session.set_beat(self._transport.map.beat_at(sample), self._seconds_at(sample))

    def _seconds_at(self, sample: float) -> float:
        """The session's time at which a sample should be heard."""
        return self._heard_time.seconds_at(sample) - self._offset_ms / 1000

    # -- from the session to the clock ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending.wait(_LOOK_EVERY_SECONDS):
            try:
                self.follow()
            except Exception as error:  # the sound continues on the clock's own time
                if not self._failed:
                    self._say(f"is not followed for now: {type(error).__name__}: {error}")
                self._failed = True

    def follow(self) -> None:
        """Compare the session with the clock, and follow it."""
        with self._transport.lock:
            before, self._state = self._state, self._session.state()
            self._applying = True
            try:
                if self.start_stop and self._state.playing != self._playing:
                    self._playing = self._state.playing
                    self._start() if self._playing else self._transport.stop()
                if self._state.peers > before.peers:
                    self._calm_from = self._now() + _JOINING_SECONDS
                self._follow_beat(self._state)
            finally:
                self._applying = False
        if self._state.peers != before.peers:
            many = "1 peer" if self.peers == 1 else f"{self.peers or 'no'} peers"
            self._report("peers", f"has {many}, {self.tempo:.1f} beats per minute")

    def _start(self) -> None:
        """Start from the beginning with the session's next bar."""
        transport, state = self._transport, self._state
        if transport.running:
            return
        transport.follow(self._tempo_of(state), None)
        transport.locate(0.0, restart=True)
        begins = max(state.since, self._seconds_at(transport.soon()))
        beat = state.beat_at(begins)
        begins += (next_multiple(beat, self.quantum) - beat) * 60 / state.tempo
        transport.resume(round(self._heard_time.sample_at(begins + self._offset_ms / 1000)))

    def _tempo_of(self, state: SessionState) -> float:
        """The session's tempo; exactly as requested, if it was set here."""
        return (
            self._requested_tempo
            if abs(state.tempo - self._requested_tempo) <= _SAME_TEMPO * self._requested_tempo
            else state.tempo
        )

    def _follow_beat(self, state: SessionState) -> None:
        transport, tempo = self._transport, self._tempo_of(state)
        low, high = TEMPO_RANGE
        if not low <= state.tempo <= high:
            self._report(
                "tempo", f"plays at {state.tempo:g}, beyond the clock's {low:g} to {high:g}: they diverge for now"
            )
            transport.follow(tempo, None)
            return
        edge = transport.edge
        if not transport.running:
            if tempo != transport.tempo:
                transport.follow(tempo, None)
            return
        here = transport.map.beat_at(edge)
        ahead = self._ahead(state, edge, here)
        if abs(ahead) > _JUMP_BEATS:
            self._jump(state)
        elif abs(ahead) * 60 > _SAME_SECONDS * tempo or tempo != transport.tempo:
            transport.follow(tempo, lambda _sample: here + ahead)

    def _ahead(self, state: SessionState, sample: float, here: float) -> float:
        """By how many beats the session is ahead of the clock at a sample, ignoring whole bars."""
        return math.remainder(state.beat_at(self._seconds_at(sample)) - here, self.quantum)

    def _jump(self, state: SessionState) -> None:
        transport = self._transport
        soon = transport.soon()
        here = transport.map.beat_at(soon)
        ahead = self._ahead(state, soon, here)
        to = here + ahead
        transport.follow(self._tempo_of(state), None)
        transport.locate(max(0.0, to if to > -SAME_BEAT else to + self.quantum))
        if self._now() > self._calm_from:
            self._report("beat", f"moved by {ahead:+.2f} beats within the bar, and the clock with it")

    def _report(self, kind: str, text: str) -> None:
        now = self._now()
        if now - self._noticed_at.get(kind, -math.inf) >= _NOTICE_EVERY_SECONDS:
            self._noticed_at[kind] = now
            self._say(text)

    def _say(self, text: str) -> None:
        if self._on_notice is not None:
            call_guarded(self._on_notice, f"{NAME} {text}")
