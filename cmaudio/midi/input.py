"""MIDI input: from stamped bytes to events on the engine, on its own thread.

Ports only stamp and queue. The thread parses messages, thins out controllers, sets the controls they are bound to and
plays the rest (`cmaudio.midi.event_player`), timed to sound a constant time after its arrival.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from cmaudio.controls.binding import Binding
from cmaudio.engine.listeners import ORIGIN
from cmaudio.errors import CmaudioError
from cmaudio.instrument.instrument import Instrument
from cmaudio.midi.bindings import Bindings
from cmaudio.midi.bound import BoundControls
from cmaudio.midi.event_player import EventPlayer
from cmaudio.midi.flow import Arrival, Inbox, Thinner, controller_key
from cmaudio.midi.notices import Notices
from cmaudio.midi.ports import MidiPorts
from cmaudio.midi.stream import Incoming, MidiStream
from cmaudio.midi.system import LibremidiSystem, MidiSystem
from cmaudio.score.messages import CLOCK, CONTINUE, SONG_POSITION, START, STOP, SYSTEM_RESET, Message
from cmaudio.system import raise_thread_priority

OnClock = Callable[[str, float, int], object]
_REST_SECONDS = 0.5
_GRID_SAMPLES = 256  # controllers are aligned to it, so that the engine mixes fewer segments
_CLOCK = {CLOCK: "pulse", START: "start", CONTINUE: "continue", STOP: "stop", SONG_POSITION: "position"}
_CLOCK_LOST_SECONDS = 2.0


class MidiInput:
    """Plays `synth` from MIDI ports until it is closed; created by `Synth.connect_midi`. A context manager.

    Args:
        synth: the instrument.
        port: index, name or part of a name; None for all, including those connected later.
        virtual: name of a port to create for other programs.
        mpe: start with a lower MPE zone of 15 members; an MPE Configuration Message makes zones at any time.
        bindings: controllers bound to controls; learned bindings are added.
        on_clock: called on the thread of this input with MIDI clock messages, their value and time of arrival
            (`time.perf_counter`): "pulse" (24 per quarter note), "start", "continue", "stop", "position" (value in
            sixteenths).
        on_notice: called with notices about ports that appear or disappear, what the model lacks, and ignored input.
        system: the MIDI system; by default this machine's, which is closed with the input.

    Raises:
        CmaudioError: no MIDI system, no such port, or virtual ports are not supported.
    """

    def __init__(
        self,
        synth: Instrument,
        *,
        port: str | int | None = None,
        virtual: str | None = None,
        mpe: bool = False,
        bindings: Bindings | None = None,
        on_clock: OnClock | None = None,
        on_notice: Callable[[str], None] | None = None,
        system: MidiSystem | None = None,
    ) -> None:
        self._synth, self.on_clock, self._notices = synth, on_clock, Notices(on_notice)
        self._bound = BoundControls(synth.controls, Bindings() if bindings is None else bindings, self._notices)
        self._player = EventPlayer(synth, self._notices, mpe)
        self._streams: dict[str, MidiStream] = defaultdict(MidiStream)
        self._inbox, self._thinner = Inbox(), Thinner(partial(self._guarded, self._act))
        self.received = 0  # messages of keys, controllers and wheels so far
        self._at, self._clock_port = 0, ("", float("-inf"))
        self._ending = threading.Event()
        self._own_system = LibremidiSystem() if system is None else None
        try:
            used = system or self._own_system
            assert used is not None
            how = {"gone": self._gone, "on_notice": self._notices.tell}
            self._ports = MidiPorts(used, self._inbox.put, port=port, virtual=virtual, **how)
        except BaseException:
            self._close_system()
            raise
        self._thread = threading.Thread(target=self._run, name="cmaudio-midi", daemon=True)
        self._thread.start()

    def __enter__(self) -> MidiInput:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bindings(self) -> Bindings:
        """The controllers bound to controls."""
        return self._bound.bindings

    @property
    def on_learned(self) -> Callable[[Binding], object] | None:
        """Called with each learned binding, on the thread of this input."""
        return self._bound.on_learned

    @on_learned.setter
    def on_learned(self, told: Callable[[Binding], object] | None) -> None:
        self._bound.on_learned = told

    @property
    def ports(self) -> list[str]:
        """Names of the open ports."""
        return self._ports.names

    @property
    def notices(self) -> tuple[str, ...]:
        """The last notices."""
        return tuple(self._notices.recent)

    @property
    def keys_down(self) -> int:
        """How many keys are down."""
        return self._player.keys_down

    def learn(
        self, control: str, low: float | None = None, high: float | None = None, any_channel: bool = False
    ) -> None:
        """Bind the next controller that moves to a control, spanning its whole range or `low` to `high`.

        Raises CmaudioError for a control that this model lacks.
        """
        definitions = self._synth.controls.definitions
        known = definitions.get(control)
        if known is None:
            raise CmaudioError(f"no control {control!r}; this model has {', '.join(definitions)}")
        ends = known.min if low is None else low, known.max if high is None else high
        self.bindings.learn(control, *ends, any_channel=any_channel)

    def panic(self) -> None:
        """Silence everything immediately; messages not played yet are dropped. From any thread."""
        self._synth.panic()
        self._inbox.silence()

    def close(self) -> None:
        """Stop listening and release all notes."""
        if self._ending.is_set():
            return
        self._ports.close()
        self._close_system()
        self._ending.set()
        self._inbox.wake()
        self._thread.join()

    def _close_system(self) -> None:
        if self._own_system is not None:
            self._own_system.close()

    def _gone(self, port: str) -> None:
        self._inbox.put(time.perf_counter(), port, None)

    # -- on the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        raise_thread_priority()
        ORIGIN.set("midi")
        while not self._ending.is_set():
            taken = self._inbox.take(self._thinner.due_in(time.perf_counter(), _REST_SECONDS))
            if taken.silence:
                self._guarded(self._silence)
            if taken.lost:
                self._guarded(self._overflow, taken.lost)
            for arrival in taken.arrivals:
                if self._inbox.silenced:
                    break
                self._guarded(self._take_in, arrival)
            self._guarded(self._thinner.flush_due, time.perf_counter())
            if taken.arrivals:
                self._guarded(self._synth.wake)
            self._notices.report(time.perf_counter())
        self._guarded(self._release_all)

    def _guarded(self, what: Callable[..., object], *arguments: object) -> None:
        """Call `what`; an error must not block later messages, which may be note-offs."""
        try:
            what(*arguments)
        except CmaudioError as error:
            self._notices.once(str(error))
        except Exception as error:
            self._notices.once(f"MIDI message ignored: {type(error).__name__}: {error}")

    def _silence(self) -> None:
        self._forget_arrivals()
        self._synth.panic()
        self._player.silenced(self._place(time.perf_counter()))

    def _forget_arrivals(self) -> None:
        self._thinner.clear()
        self._streams.clear()

    def _overflow(self, lost: int) -> None:
        self._notices.count("messages were lost because they arrived too fast; all notes were released", lost)
        self._forget_arrivals()
        self._release_all()

    def _release_all(self) -> None:
        self._player.release_all(self._place(time.perf_counter()))

    def _take_in(self, arrival: Arrival) -> None:
        stamp, port, data = arrival
        if data is None:
            self._streams.pop(port, None)
            self._player.port_gone(self._place(stamp), port)
            return
        stream = self._streams[port]
        before = stream.malformed
        for message in stream.feed(data):
            self._thinner.add(stamp, port, message)
        self._notices.count("malformed bytes were ignored", stream.malformed - before)

    def _place(self, stamp: float, grid: int = 1) -> int:
        """The sample for `at`, rounded down to a multiple of `grid`.

        It never precedes an earlier one, so that no note-off is placed before its note-on.
        """
        self._at = max(self._at, self._synth.place(stamp) // grid * grid)
        return self._at

    def _act(self, stamp: float, port: str, message: Incoming) -> None:
        if isinstance(message, bytes):
            self._player.exclusive(self._place(stamp, _GRID_SAMPLES), message)
            return
        status = message[0]
        if status in _CLOCK:
            self._follow_clock(stamp, port, message)
        elif status == SYSTEM_RESET:
            self._silence()
        elif status < 0xF0:
            self.received += 1
            at = self._place(stamp, 1 if controller_key(message) is None else _GRID_SAMPLES)
            # A member channel of an MPE zone belongs to its note, so its controllers are never bound.
            if self._player.is_member(status & 0x0F) or not self._bound.move(at, message):
                self._player.message(at, port, message)

    def _follow_clock(self, stamp: float, port: str, message: Message) -> None:
        """Follow the clock of one port only: the pulses of several would add up."""
        followed, last = self._clock_port
        if port != followed and stamp - last < _CLOCK_LOST_SECONDS:
            return
        self._clock_port = (port, stamp)
        if self.on_clock is not None:
            status, low, high = message
            self.on_clock(_CLOCK[status], stamp, high << 7 | low)
