"""What keeps a flood of MIDI from drowning the instrument: a bounded queue, and controllers that are thinned out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from cmaudio.midi.stream import Incoming
from cmaudio.score.controllers import MODULATION
from cmaudio.score.messages import CHANNEL_PRESSURE, CONTROL, KEY_PRESSURE, SYSEX, WHEEL

LIMIT_ARRIVALS = 8192
INTERVAL_SECONDS = 0.01  # between values of one controller; the engine smooths over as much
# What moves the pitch makes each sounding note's excitation anew: twice as seldom, and glided over as long.
PITCH_INTERVAL_SECONDS = 0.02
# Data entry, parameter numbers, pedals and channel modes: each one counts, in its order.
_NEVER_THINNED = frozenset((0, 32, 6, 38, *range(64, 70), *range(96, 102), *range(120, 128)))


class Arrival(NamedTuple):
    """`data` came from `port` at `stamp` (of `time.perf_counter`); None: the port is gone."""

    stamp: float
    port: str
    data: bytes | None


class Taken(NamedTuple):
    """What `Inbox.take` gives: arrivals in order, how many were lost, and whether all before them is to be silenced."""

    arrivals: list[Arrival]
    lost: int
    silence: bool


class Inbox:
    """What has arrived and was not handled yet. `put` may be called on any thread, `take` belongs to one."""

    def __init__(self, limit: int = LIMIT_ARRIVALS) -> None:
        self._limit = limit
        self._items: list[Arrival] = []
        self._dropped = 0
        self.silenced = False  # and that was not taken yet
        self._lock = threading.Lock()
        self._ready = threading.Event()

    def put(self, stamp: float, port: str, data: bytes | None) -> None:
        """Add one; over the limit it is dropped and counted."""
        with self._lock:
            if len(self._items) < self._limit:
                self._items.append(Arrival(stamp, port, data))
            else:
                self._dropped += 1
        self._ready.set()

    def wake(self) -> None:
        """Have `take` return."""
        self._ready.set()

    def silence(self) -> None:
        """Drop what has come so far, and have whoever takes know of it."""
        with self._lock:
            self._items, self._dropped, self.silenced = [], 0, True
        self._ready.set()

    def take(self, timeout: float) -> Taken:
        """All that has come, waiting for it up to `timeout` seconds.

        Where any was lost all that had come is lost with it: nobody knows whether a note was let go meanwhile, so
        whoever takes lets go of all, and then no key that is still to come can be stuck.
        """
        self._ready.wait(timeout)
        self._ready.clear()
        with self._lock:
            items, dropped, silenced = self._items, self._dropped, self.silenced
            self._items, self._dropped, self.silenced = [], 0, False
        return Taken([], dropped + len(items), silenced) if dropped else Taken(items, 0, silenced)


class Thinner:
    """Passes messages on to `send(stamp, port, message)`, of each controller at most one value an interval, the last.

    Whatever is no controller passes at once, after what its channel's controllers still have to say: a note begins with
    the bend and pressure that were sent before it.
    """

    def __init__(self, send: Callable[[float, str, Incoming], None]) -> None:
        self._send = send
        self._sent: dict[tuple[int, int], float] = {}
        self._pending: dict[tuple[int, int], Arrived] = {}
        self.thinned = 0

    def add(self, stamp: float, port: str, message: Incoming) -> None:
        """A message that arrived at `stamp`."""
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
        """Pass on what has waited for its interval."""
        self._flush([key for key in self._pending if now >= self._due(key)])

    def due_in(self, now: float, at_most: float) -> float:
        """Seconds until `flush_due` has something to do."""
        if not self._pending:
            return at_most
        return max(0.0, min(at_most, min(map(self._due, self._pending)) - now))

    def _due(self, key: tuple[int, int]) -> float:
        return self._sent[key] + _interval(key)

    def clear(self) -> None:
        """Forget what waits."""
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
    """What a continuous controller is known by: its status, and its number or key; None for all else."""
    if isinstance(message, bytes):
        return None
    status, first, _ = message
    kind = status & 0xF0
    if kind in (WHEEL, CHANNEL_PRESSURE):
        return status, 0
    if kind == KEY_PRESSURE or (kind == CONTROL and first not in _NEVER_THINNED):
        return status, first
    return None
