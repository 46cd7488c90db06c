"""MIDI output: sends what the instrument plays, and its clock, to a port, in time with the sound.

The rendering thread and the clock's thread only append to a queue; one thread sends everything at its time.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cmaudio.checks import in_range
from cmaudio.faults import Faults
from cmaudio.instrument.instrument import Instrument
from cmaudio.midi.encoder import Encoder
from cmaudio.midi.notices import Notices
from cmaudio.midi.pulses import Pulses
from cmaudio.midi.reconnecting_port import ReconnectingPort
from cmaudio.midi.system import LibremidiSystem, MidiOutputSystem
from cmaudio.score.events import Event, NoteOff
from cmaudio.score.messages import STOP
from cmaudio.system import raise_thread_priority

_REST_SECONDS = 0.5
VIRTUAL = "cmaudio"
_NOT_SENT = "a MIDI message was not sent, and the sound goes on"


@dataclass(order=True)
class _Due:
    seconds: float
    order: int
    at: float = field(compare=False)
    what: Event | tuple[bytes, ...] = field(compare=False)  # bytes: of the clock


@dataclass(frozen=True)
class _Cancel:
    """Cancels the clock's messages after this sample."""

    at: float


_Item = tuple[float, Event | tuple[bytes, ...]] | _Cancel | None


class MidiOutput:
    """Sends what `synth` plays until it is closed; created by `Synth.midi_out`. A context manager.

    Args:
        synth: the instrument.
        port: index, name or part of a name of a port; None for a virtual one.
        virtual: name of the port to create.
        clock: whether to send the clock as well.
        thru: whether to pass on MIDI input as well. This can cause feedback loops between programs.
        offset_ms: how much later than the sound everything is sent.
        on_notice: called once when the port disappears, and once when it is back.
        system: the MIDI system; by default this machine's, which is closed with the output.

    Raises:
        CmaudioError: no MIDI system, no such port, or virtual ports are not supported.
    """

    def __init__(
        self,
        synth: Instrument,
        port: str | int | None = None,
        *,
        virtual: str = VIRTUAL,
        clock: bool = True,
        thru: bool = False,
        offset_ms: float = 0.0,
        on_notice: Callable[[str], None] | None = None,
        system: MidiOutputSystem | None = None,
    ) -> None:
        self._offset_seconds = in_range("offset_ms", offset_ms, -1000, 1000, "milliseconds") / 1000
        self._synth, self._thru, self._notices = synth, thru, Notices(on_notice)
        self._faults = Faults(self._notices.tell)
        self._listeners = synth.engine.allocator.listeners
        self._encoder, self._order = Encoder(), itertools.count()
        self._due: list[_Due] = []
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._own_system = LibremidiSystem() if system is None else None
        used = system or self._own_system
        assert used is not None
        try:
            self._port = ReconnectingPort(used, port, virtual, self._returned, self._notices.tell)
        except BaseException:
            self._close_system()
            raise
        self._fresh, self._ending = threading.Event(), threading.Event()
        self._unsubscribe = synth.recorder.subscribe(self._take)
        self._thread = threading.Thread(target=self._run, name="cmaudio-midi-out", daemon=True)
        self._thread.start()
        self._pulses = self._start_clock() if clock else None

    def _start_clock(self) -> Pulses:
        clock = self._synth.clock
        with clock.lock:
            pulses = Pulses(self, self._synth.engine.sample_rate, clock.map.beat_at(clock.edge))
            clock.add(pulses)
        return pulses

    def __enter__(self) -> MidiOutput:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> str:
        """The port's name."""
        return self._port.name

    @property
    def there(self) -> bool:
        """Whether the port is open; messages are dropped while it is gone."""
        return self._port.there

    @property
    def notices(self) -> tuple[str, ...]:
        """The last notices."""
        return tuple(self._notices.recent)

    def close(self) -> None:
        """Release sounding notes, stop the clock, and close the port."""
        if self._ending.is_set():
            return
        if self._pulses is not None:
            self._synth.clock.drop(self._pulses)
        self._unsubscribe()
        self._ending.set()
        self._queue.put(None)
        self._thread.join()
        self._port.close()
        self._close_system()

    def _close_system(self) -> None:
        if self._own_system is not None:
            self._own_system.close()

    def _returned(self) -> None:
        self._fresh.set()

    # -- into the queue, from any thread -----------------------------------------------------------------------------

    def _take(self, at: int, event: Event) -> None:
        if self._thru or isinstance(event, NoteOff) or self._listeners.origin != "midi":
            self._queue.put((at, event))

    def send_clock(self, at: float, *messages: bytes) -> None:
        """Send messages of the clock when a sample of the engine is heard."""
        self._queue.put((at + self._synth.engine.latency_samples, messages))

    def cancel_clock(self, at: float) -> None:
        """Cancel the clock's messages after a sample."""
        self._queue.put(_Cancel(at + self._synth.engine.latency_samples))

    # -- out of it, on the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        raise_thread_priority()
        while not self._ending.is_set():
            wait = self._due[0].seconds - time.perf_counter() if self._due else _REST_SECONDS
            if wait > 0:
                try:
                    item = self._queue.get(timeout=min(wait, _REST_SECONDS))
                except queue.Empty:
                    continue
                self._faults.attempt(_NOT_SENT, self._sort_in, item)
            else:
                self._faults.attempt(_NOT_SENT, self._send, heapq.heappop(self._due).what)
        for data in [*self._encoder.endings(), *([] if self._pulses is None else [bytes([STOP])])]:
            self._faults.attempt(_NOT_SENT, self._port.send, data)

    def _sort_in(self, item: _Item) -> None:
        if isinstance(item, _Cancel):
            self._due = [due for due in self._due if due.at < item.at or not isinstance(due.what, tuple)]
            heapq.heapify(self._due)
        elif item is not None:
            at, what = item
            seconds = self._synth.player.heard_at(at) + self._offset_seconds
            heapq.heappush(self._due, _Due(seconds, next(self._order), at, what))

    def _send(self, what: Event | tuple[bytes, ...]) -> None:
        if self._fresh.is_set():  # the receiver was switched on again, without state
            self._fresh.clear()
            self._encoder.forget()
        for data in what if isinstance(what, tuple) else self._encoder.messages(what):
            self._port.send(data)
