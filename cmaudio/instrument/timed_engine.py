"""A live engine with a clock: Ableton Link, and the step sequencer and arpeggiator that follow the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from cmaudio.checks import whole_number
from cmaudio.controls.controls import Controls
from cmaudio.controls.scatter import SCATTER
from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.instrument.live_engine import LiveEngine
from cmaudio.model.timbres import Timbre
from cmaudio.output.player import Player
from cmaudio.score.pitch import note_number
from cmaudio.sequencer.arpeggiator import Arpeggiator
from cmaudio.sequencer.arpeggio import HeldKey
from cmaudio.sequencer.recording import Recording
from cmaudio.sequencer.step_sequencer import StepSequencer
from cmaudio.timing.clock import Clock
from cmaudio.timing.driver import Ahead
from cmaudio.timing.heard_time import HeardTime
from cmaudio.timing.link import Link
from cmaudio.timing.link_session import LinkSession, NetworkSession

Attached = TypeVar("Attached", bound="_Closable")


class _Closable(Protocol):
    def close(self) -> None: ...


class TimedEngine(LiveEngine):
    """A live engine with a clock. Methods may be called from any thread.

    Args:
        engine: synthesises the sound.
        player: plays the engine; already started.
        controls: every control by name, shared by all ways to play.
        on_notice: called with one line about each problem.
    """

    def __init__(
        self, engine: Engine, player: Player, controls: Controls, on_notice: Callable[[str], None] | None
    ) -> None:
        super().__init__(engine, player, controls)
        self.on_notice = on_notice
        self._attached: list[_Closable] = []
        self._clock: Clock | None = None
        self._sequencer: StepSequencer | None = None
        self._arpeggiator: Arpeggiator | None = None
        self._link: Link | None = None
        self._link_lock = threading.RLock()
        self._creation_lock = threading.RLock()
        self.controls.subscribe(self._follow_scatter)

    def attach(self, part: Attached) -> Attached:
        """Close `part`, which plays or displays this instrument, together with it; returns `part`."""
        self._attached.append(part)
        return part

    def panic(self) -> None:
        """Silence everything immediately, and end all patterns, arpeggios and scattering."""
        if self.controls.values().get(SCATTER):
            self.controls.set(SCATTER, 0)
        if self._sequencer is not None:
            self._sequencer.stop()
        if self._arpeggiator is not None:
            self._arpeggiator.clear()
        if self._clock is not None:
            self._clock.clear()
        self.engine.panic()

    def _follow_scatter(self, name: str, value: object, source: str) -> None:
        if name == SCATTER and value:
            _ = self.clock  # once created, it follows the scatter controls

    # -- what follows the clock ----------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """The clock for tempo and patterns. It starts when it is first used."""
        with self._creation_lock:
            if self._clock is None:
                self._clock = Clock(
                    self.engine,
                    controls=self.controls,
                    driver=Ahead(self.engine),
                    place=self.place,
                    on_notice=self.on_notice,
                )
                self.attach(self._clock)
            return self._clock

    @property
    def sequencer(self) -> StepSequencer:
        """The step sequencer: a bank of patterns of notes, pads and automation, played by the clock."""
        with self._creation_lock:
            if self._sequencer is None:
                self._sequencer = StepSequencer(self.clock)
            return self._sequencer

    @property
    def arpeggiator(self) -> Arpeggiator:
        """The arpeggiator between keys and notes; it is off until `arpeggiator.change(on=True)`."""
        with self._creation_lock:
            if self._arpeggiator is None:
                self._arpeggiator = Arpeggiator(self.clock, self._record_note)
            return self._arpeggiator

    # -- keys ----------------------------------------------------------------------------------------------------------

    def press(
        self,
        pitch: int | str,
        velocity: float | None = None,
        *,
        timbre: Timbre | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """Press a key: like `note_on`, but the velocity defaults to the velocity control.

        If the arpeggiator is on, it plays the key, and the returned note does not sound itself.
        """
        arpeggiator = self._arpeggiator
        if arpeggiator is not None and arpeggiator.takes(channel):
            struck = self.controls["velocity"] if velocity is None else velocity
            note = self.engine.silent_note(pitch, struck, channel)
            arpeggiator.press(HeldKey(note.key, note.velocity, channel, timbre))
            return note
        note = super().press(pitch, velocity, timbre=timbre, channel=channel, at=at)
        self._record(lambda recording, beat: recording.press(beat, note.key, note.velocity, timbre, channel), at)
        return note

    def lift(self, pitch: int | str, channel: int = 0, at: int | None = None) -> None:
        """Release a key; pedals may hold its note."""
        key = whole_number("pitch", note_number(pitch) if isinstance(pitch, str) else pitch, 0, 127)
        if self._arpeggiator is not None and self._arpeggiator.lift(key, channel):
            return
        super().lift(key, channel, at)
        self._record(lambda recording, beat: recording.lift(beat, key, channel), at)

    def all_notes_off(self, channel: int | None = None, at: int | None = None) -> None:
        """Release all notes and pedals (of a channel), and the keys of the arpeggiator."""
        if self._arpeggiator is not None:
            self._arpeggiator.clear(channel)
        super().all_notes_off(channel, at)

    @property
    def _recording(self) -> Recording | None:
        """The active recording, if any."""
        return None if self._sequencer is None else self._sequencer.recording

    @property
    def _heard_time(self) -> HeardTime:
        return HeardTime(self.player, self.engine.latency_samples)

    def _record(self, act: Callable[[Recording, float], object], at: int | None) -> None:
        """Add a key event to the active recording, if any, at the beat that was heard when the key moved."""
        recording = self._recording
        if recording is None:
            return
        now = time.perf_counter()
        heard_sample = self._heard_time.sample_at(now)
        act(recording, self.clock.map.beat_at(heard_sample + (0 if at is None else at - self.place(now))))

    def _record_note(self, key: HeldKey, beat: float, end: float) -> None:
        recording = self._recording
        if recording is not None:
            recording.press(beat, key.pitch, key.velocity, key.timbre, key.channel)
            recording.lift(end, key.pitch, key.channel)

    # -- Ableton Link --------------------------------------------------------------------------------------------------

    def connect_link(
        self, *, quantum: float = 4.0, start_stop: bool = True, session: LinkSession | None = None
    ) -> Link:
        """Share tempo, beat, start and stop with other programs on this network over Ableton Link; see `Link`.

        Args:
            quantum: beats per bar; bars start together.
            start_stop: whether start and stop are shared.
            session: by default that of this network.

        Raises:
            CmaudioError: the package LinkPython-extern is missing.
        """
        with self._link_lock:
            self.disconnect_link()
            clock, notify = self.clock, self.player.notify
            joined = session or NetworkSession(clock.tempo, quantum, start_stop)
            self._link = Link(clock, joined, self._heard_time, quantum=quantum, start_stop=start_stop, on_notice=notify)
            return self.attach(self._link)

    def disconnect_link(self) -> None:
        """Leave the Ableton Link session, if connected; the clock continues on its own."""
        with self._link_lock:
            if self._link is not None:
                self._link.close()
                self._attached.remove(self._link)
                self._link = None

    @property
    def link(self) -> Link | None:
        """The Ableton Link session, if connected."""
        link = self._link
        return None if link is None or link.closed else link
