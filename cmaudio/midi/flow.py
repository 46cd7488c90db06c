"""Protection from floods of MIDI: a bounded queue, and controllers thinned to a limited rate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from cmaudio.midi.stream import Incoming
from cmaudio.score.controllers import MODULATION
from cmaudio.score.messages import CHANNEL_PRESSURE, CONTROL, KEY_PRESSURE, SYSEX, WHEEL

LIMIT_ARRIVALS = 8192
INTERVAL_SECONDS = 0.01  # between values of one controller; the engine smooths over the same time
# A change of pitch recomputes the excitation of each sounding note, so it is allowed half as often.
PITCH_INTERVAL_SECONDS = 0.02
# Data entry, parameter numbers, pedals and channel modes: each message matters, in order.
_NEVER_THINNED = frozenset((0, 32, 6, 38, *range(64, 70), *range(96, 102), *range(120, 128)))


class Arrival(NamedTuple):
    """Data that arrived from a port.

    Attributes:
        stamp: time of arrival, of `time.perf_counter`.
        port: name of the port.
        data: raw bytes; None if the port was disconnected.
    """

    stamp: float
    port: str
    data: bytes | None


class Taken(NamedTuple):
    """The result of `Inbox.take`.

    Attributes:
        arrivals: in order.
        lost: how many arrivals were lost.
        silence: whether to silence everything before them.
    """

    arrivals: list[Arrival]
    lost: int
    silence: bool


class Inbox:
    """Arrivals that are not handled yet. `put` may be called on any thread, `take` only on one."""

    def __init__(self, limit: int = LIMIT_ARRIVALS) -> None:
        self._limit = limit
        self._items: list[Arrival] = []
        self._dropped = 0
        self.silenced = False  # since the last `take`
        self._lock = threading.Lock()
        self._ready = threading.Event()

    def put(self, stamp: float, port: str, data: bytes | None) -> None:
        """Add an arrival; beyond the limit it is dropped and counted."""
        with self._lock:
            if len(self._items) < self._limit:
                self._items.append(Arrival(stamp, port, data))
            else:
                self._dropped += 1
        self._ready.set()

    def wake(self) -> None:
        """Make `take` return."""
        self._ready.set()

    def silence(self) -> None:
        """Drop all arrivals so far, and report this in the next `take`."""
        with self._lock:
            self._items, self._dropped, self.silenced = [], 0, True
        self._ready.set()

    def take(self, timeout: float) -> Taken:
        """All arrivals, waiting up to `timeout` seconds for the first.

        If any was lost, all are dropped: a note-off may have been lost, so the caller must release every note,
        and a note that started from a remaining note-on could hang.
        """
        self._ready.wait(timeout)
        self._ready.clear()
        with self._lock:
            items, dropped, silenced = self._items, self._dropped, self.silenced
            self._items, self._dropped, self.silenced = [], 0, False
        return Taken([], dropped + len(items), silenced) if dropped else Taken(items, 0, silenced)


class Thinner:
    """Passes messages on to `send(stamp, port, message)`: per controller and interval, only the last value.

    Other messages pass immediately, after the waiting controllers of their channel: a note starts with the bend and
    pressure that were sent before it.
    """

    def __init__(self, send: Callable[[float, str, Incoming], None]) -> None:
        self._send = send
        self._sent: dict[tuple[int, int], float] = {}
        self._pending: dict[tuple[int, int], Arrived] = {}
        self.thinned = 0

    def add(self, stamp: float, port: str, message: Incoming) -> None:
        """Add a message that arrived at `stamp`."""
        key = controller_key(message)
        if key is None:
            if isinstance(message, tuple) and message[0] < SYSEX:
                self._flush([k for k in self._pending if k[0] & 0x0F == message[0] & 0x0F])
            self._send(stamp, port, message)
        elif key in self._pending or stamp - self._sent.get(key, -1.0) < _interval(key):
            self.thinned += key in self._pending
            self._pending[key] = (stamp, port, message)
        else:
            self._sent[key] = stamp
            self._send(stamp, port, message)

    def flush_due(self, now: float) -> None:
        """Pass on the values whose interval is over."""
        self._flush([key for key in self._pending if now >= self._due(key)])

    def due_in(self, now: float, at_most: float) -> float:
        """Seconds until `flush_due` has something to do."""
        if not self._pending:
            return at_most
        return max(0.0, min(at_most, min(map(self._due, self._pending)) - now))

    def _due(self, key: tuple[int, int]) -> float:
        return self._sent[key] + _interval(key)

    def clear(self) -> None:
        """Drop the waiting values."""
        self._pending.clear()

    def _flush(self, keys: list[tuple[int, int]]) -> None:
        for key in keys:
            waited = self._pending.pop(key)
            self._sent[key] = max(waited[0], self._sent[key])
            self._send(*waited)


Arrived = tuple[float, str, Incoming]


def _interval(key: tuple[int, int]) -> float:
    bends = key[0] & 0xF0 == WHEEL or (key[0] & 0xF0 == CONTROL and key[1] == MODULATION)
    return PITCH_INTERVAL_SECONDS if bends else INTERVAL_SECONDS


def controller_key(message: Incoming) -> tuple[int, int] | None:
    """The identity of a continuous controller: status, and number or key; None for other messages."""
    if isinstance(message, bytes):
        return None
    status, first, _ = message
    kind = status & 0xF0
    if kind in (WHEEL, CHANNEL_PRESSURE):
        return status, 0
    if kind == KEY_PRESSURE or (kind == CONTROL and first not in _NEVER_THINNED):
        return status, first
    return None
