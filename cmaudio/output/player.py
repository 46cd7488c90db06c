"""Playing a source on the sound card: the thread that keeps the ring filled, and trouble with the device.

Three threads, so that none waits for another: one reads the source and fills the ring, one watches the device and opens
it again when it vanished, one delivers notices. numba is imported when a device is opened.
"""

import gc
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from cmaudio.errors import CmaudioError
from cmaudio.output.devices import Device, OpenStream, OutputStream, find_device, list_devices, open_sound_card
from cmaudio.output.ring import Ring, RingCounters, output_callback
from cmaudio.output.sample_clock import SampleClock
from cmaudio.system import give_back_freed_memory, hurry_this_thread

__all__ = [
    "Device",
    "OpenStream",
    "OutputStream",
    "Player",
    "PlayerState",
    "Source",
    "find_device",
    "list_devices",
    "open_sound_card",
]

# Synthesis gives the interpreter up many times a block; a busy thread must not keep it from coming back.
_SWITCH_INTERVAL_S = 0.00005
LEAD_MS = 40.0
_LOOK_EVERY_S = 0.1
_SILENT_LIMIT_S = 0.5
_RETRY_EVERY_S = 1.0
_RELEASE_LIMIT_S = 2.0
_LOAD_MEMORY_S = 1.0
_RING_SLACK_SAMPLES = 65_536
_PLACING_CHUNKS = 1.0  # that may just have been read

_unreleased: list[Any] = []  # PortAudio may still write to the rings of streams it never let go of


class Source(Protocol):
    """Anything that makes sound: `read(n)` returns the next n samples (n,) float32 in [-1, 1]."""

    sample_rate: int

    def read(self, n: int, /) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True)
class PlayerState:
    """How playing goes.

    `lead_ms` is what lies in the ring now; `load` the source's computing time over the time made.
    """

    status: Literal["new", "playing", "lost", "failed", "closed"]
    device_name: str
    sample_rate: int
    lead_ms: float
    load: float
    counters: RingCounters
    notices: tuple[str, ...]
    failure: BaseException | None


class _Output:
    """A stream, its ring, and the way from the source's samples to the device's."""

    def __init__(self, stream: OutputStream, ring: Ring, source_rate: int, lead_ms: float, chunk_samples: int) -> None:
        self.stream, self.ring, self.rate = stream, ring, stream.sample_rate
        self.filled = threading.Event()
        self._lead_samples = round(lead_ms * self.rate / 1000)
        self._chunk_samples = -(-chunk_samples * self.rate // source_rate)
        self._resampler: Any = None
        self._callbacks, self.silent_s = 0, 0.0
        if self.rate != source_rate:
            import soxr

            self._resampler = soxr.ResampleStream(source_rate, self.rate, 1, dtype="float32")

    @property
    def lead_samples(self) -> int:
        """How much is kept ready: a device that takes much at once would starve whatever the lead."""
        lead = max(self._lead_samples, self.ring.largest_request_samples + self._chunk_samples)
        return min(lead, self.ring.capacity_samples - 2 * self._chunk_samples)

    def wants_more(self) -> bool:
        if self.ring.readable < self.lead_samples:
            return True
        self.filled.set()
        return False

    @property
    def behind(self) -> bool:
        """Less than half of what should be ready is: the source is too slow."""
        return self.filled.is_set() and self.ring.readable < self.lead_samples // 2

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        self.ring.write(samples if self._resampler is None else self._resampler.resample_chunk(samples))

    def is_dead(self, waited_s: float) -> bool:
        callbacks = self.ring.counters().callbacks
        # Time is counted in waits, so that a machine that slept has not lost its device.
        self.silent_s = 0.0 if callbacks != self._callbacks else self.silent_s + waited_s
        self._callbacks = callbacks
        return self.silent_s >= _SILENT_LIMIT_S or not self.stream.active


def _release(output: _Output, limit_s: float = _RELEASE_LIMIT_S) -> threading.Thread:
    """Close a stream without waiting for it longer than `limit_s`; the thread returned is alive if it hangs."""

    def close() -> None:
        output.stream.close()
        _unreleased.remove(output)

    closer = threading.Thread(target=close, name="cmaudio-close", daemon=True)
    _unreleased.append(output)
    closer.start()
    closer.join(limit_s)
    return closer


class Player:
    """Plays `source` until it is closed, through trouble with the device.

    The thread reads `chunk_samples` at a time and keeps `lead_ms` of sound ready. `device` is an index, a name or part
    of one (None: the default); `period_samples` 0 lets the device choose. `on_notice` is called on a thread of its own.
    An error of the source fades to silence and is raised by the next call of `wake`, `raise_if_failed` or `close`.
    Raises CmaudioError on a lead that is not positive; `start` also if no device can be opened.
    """

    def __init__(
        self,
        source: Source,
        *,
        device: str | int | None = None,
        lead_ms: float = LEAD_MS,
        period_samples: int = 0,
        chunk_samples: int = 256,
        on_notice: Callable[[str], None] | None = None,
        open_stream: OpenStream = open_sound_card,
    ) -> None:
        if not lead_ms > 0 or chunk_samples < 1 or period_samples < 0:
            raise CmaudioError(
                f"cannot play with lead_ms={lead_ms}, {chunk_samples=}, {period_samples=}: they count up"
            )
        self._source, self._device, self._lead_ms = source, device, lead_ms
        # What a source may do ahead in time to spare, where it can.
        self._prepare: Callable[[], bool] = getattr(source, "prepare", lambda: False)
        self._on_overload: Callable[[], None] = getattr(source, "on_overload", lambda: None)
        self._period_samples, self._chunk_samples, self._open_stream = period_samples, chunk_samples, open_stream
        self._on_notice = on_notice
        self._notices: deque[str] = deque(maxlen=16)
        self._undelivered: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stop, self._wake = threading.Event(), threading.Event()
        self._output: _Output | None = None
        self._past = RingCounters()
        self._status: Literal["new", "playing", "lost", "failed", "closed"] = "new"
        self._device_name, self._rate = "", source.sample_rate
        self._read_s, self._made_s, self._due_s = 0.0, 0.0, 0.0
        self._prepared_s = 0.0  # spent since the last read on what the next ones need
        self._read_samples = 0
        self._clock = SampleClock(source.sample_rate)
        self._failure: BaseException | None = None
        self._failure_told = False
        self._switch_interval_s = sys.getswitchinterval()
        self._threads: dict[str, threading.Thread] = {}
        self._choosing = threading.Lock()  # one at a time opens a device: who chose one, or who watches

    def start(self) -> Self:
        """Open the device, fill the ring, begin to sound. Raises CmaudioError, or what the source raised."""
        if self._status != "new":
            raise CmaudioError("a Player starts once: make a new one")
        output_callback()  # its compiler leaves much to give back
        gc.collect()
        give_back_freed_memory()
        output = self._open(rescan=False)
        self._switch_interval_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self._status, self._output = "playing", output
        try:
            self._spawn("synthesis", self._synthesise)
            self._spawn("notices", self._deliver)
            output.filled.wait()
            self.raise_if_failed()
            gc.collect()
            gc.freeze()
            output.stream.start()
            self._spawn("device", self._watch)
        except BaseException:
            with suppress(BaseException):
                self.close()
            raise
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if kind is None:
            return self.close()
        with suppress(Exception):  # the error under way says more
            self.close()
        return None

    def use_device(self, device: str | int | None, open_stream: OpenStream | None = None) -> None:
        """Go on playing on another output, while what sounds goes on; the old one is closed when the new one is open.

        `open_stream`: how it is opened, as until now by default. Raises CmaudioError where it cannot be opened; then
        the old one plays on.
        """
        with self._choosing:
            if self._status not in ("playing", "lost"):
                raise CmaudioError(f"a player that is {self._status} has no device to change: start a new one")
            before = self._device, self._open_stream, self._device_name, self._rate
            self._device, self._open_stream = device, open_stream or self._open_stream
            old = self._output
            try:
                self._begin(self._open(rescan=old is None))
            except CmaudioError:
                self._output = old
                self._device, self._open_stream, self._device_name, self._rate = before
                raise
            if old is not None:
                _fade_out(old.ring)
                self._past = _sum(self._past, old.ring.counters())
                self._warn_if_held(old, _release(old))
            self._notice(f"playing on {self._device_name}")

    def _begin(self, output: _Output) -> None:
        """Sound on `output` as soon as enough is ready. Raises CmaudioError, and closes it, where it does not start."""
        self._output = output
        while not output.filled.wait(_LOOK_EVERY_S):
            if self._stop.is_set() or self._failure is not None:
                return
        try:
            output.stream.start()
        except CmaudioError:
            self._due_s = time.monotonic()
            self._let_go(output)
            raise
        self._status = "playing"

    def wake(self) -> None:
        """Tell the thread that something changed; from any thread. Raises what the source raised."""
        self._wake.set()
        self.raise_if_failed()

    def raise_if_failed(self) -> None:
        """Raise what `source.read` raised, if it did."""
        if self._failure is not None:
            self._failure_told = True
            raise self._failure

    def state(self) -> PlayerState:
        """How it goes, at this moment; never raises."""
        output = self._output
        return PlayerState(
            status=self._status,
            device_name=self._device_name,
            sample_rate=self._rate,
            lead_ms=1000 * output.ring.readable / output.rate if output else 0.0,
            load=self._read_s / self._made_s if self._made_s else 0.0,
            counters=_sum(self._past, output.ring.counters()) if output else self._past,
            notices=tuple(self._notices),
            failure=self._failure,
        )

    def place(self, seconds: float) -> int:
        """The source's sample at which what happened at `seconds` (of `time.perf_counter`) is to sound.

        It lies a constant time behind what is heard then, just far enough to be still unmade: what happens regularly
        sounds regularly, however samples are read ahead.
        """
        output = self._output
        rate = self._source.sample_rate
        lead = output.lead_samples * rate / output.rate if output else self._lead_ms / 1000 * rate
        return max(0, round(self._clock.at(seconds) + lead + _PLACING_CHUNKS * self._chunk_samples))

    def take_peak(self) -> float:
        """The largest absolute sample played since the last call, for a meter."""
        output = self._output
        return output.ring.take_peak() if output else 0.0

    def close(self) -> None:
        """Fade out, close the device, end the threads; waits some seconds at most. Raises what the source raised."""
        if self._status == "new" or self._stop.is_set():
            return
        self._stop.set()
        self._wake.set()
        self._join("synthesis", "device")
        with self._choosing:
            output = self._output
            if output is not None:
                _fade_out(output.ring)
                self._let_go(output)
        self._undelivered.put(None)
        self._join("notices")
        sys.setswitchinterval(self._switch_interval_s)
        gc.unfreeze()
        self._status = "closed"
        if not self._failure_told:
            self.raise_if_failed()

    def _spawn(self, job: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"cmaudio-{job}", daemon=True)
        self._threads[job] = thread
        thread.start()

    def _join(self, *jobs: str) -> None:
        for job in jobs:
            thread = self._threads.get(job)
            if thread is not None and thread is not threading.current_thread():
                thread.join(2 * _RELEASE_LIMIT_S)

    def _notice(self, text: str) -> None:
        self._notices.append(text)
        self._undelivered.put(text)

    def _deliver(self) -> None:
        while (text := self._undelivered.get()) is not None:
            if self._on_notice is not None:
                try:
                    self._on_notice(text)
                except Exception:
                    sys.excepthook(*sys.exc_info())

    def _synthesise(self) -> None:
        hurry_this_thread()
        try:
            while not self._stop.is_set():
                self._step()
        except BaseException as error:
            self._failure, self._status = error, "failed"
            self._notice(f"the sound stopped: {type(error).__name__}: {error}")
            output = self._output
            if output is not None:
                output.ring.mute()
                output.filled.set()

    def _step(self) -> None:
        """Read one chunk if it is wanted now, else sleep until it may be, or until something changed."""
        output, chunk_s = self._output, self._chunk_samples / self._source.sample_rate
        unheard = output.ring.readable * self._source.sample_rate / output.rate if output else 0.0
        self._clock.update(time.perf_counter(), self._read_samples - unheard)
        if output is None:  # the device is lost: keep the performance's clock running
            wait_s = self._due_s - time.monotonic()
            if wait_s <= 0:
                self._read()
                self._due_s = max(self._due_s, time.monotonic() - _SILENT_LIMIT_S) + chunk_s
        elif output.wants_more():
            samples = self._read()
            if output.behind:  # as little is left now as ever
                self._on_overload()
            output.write(samples)
            wait_s = 0.0
        else:
            began_s = time.perf_counter()
            wait_s = 0.0 if self._prepare() else chunk_s / 2
            self._prepared_s += time.perf_counter() - began_s
        if wait_s > 0 and self._wake.wait(wait_s):
            self._wake.clear()

    def _read(self) -> npt.NDArray[np.float32]:
        began_s = time.perf_counter()
        samples = self._source.read(self._chunk_samples)
        self._read_samples += len(samples)
        read_s, made_s = time.perf_counter() - began_s, self._chunk_samples / self._source.sample_rate
        read_s, self._prepared_s = read_s + self._prepared_s, 0.0
        keep = 1 - min(1.0, made_s / _LOAD_MEMORY_S)
        self._read_s, self._made_s = keep * self._read_s + read_s, keep * self._made_s + made_s
        return samples

    def _open(self, rescan: bool) -> _Output:
        source_rate = self._source.sample_rate
        ring = Ring(round(self._lead_ms * 384) + _RING_SLACK_SAMPLES)  # the lead at 384 kHz, the highest rate there is
        stream = self._open_stream(ring, source_rate, self._device, self._period_samples, rescan)
        self._device_name, self._rate = stream.device_name, stream.sample_rate
        if self._device is not None:
            self._device = stream.device_name  # indices change when devices come and go
        if stream.sample_rate != source_rate:
            self._notice(f"{stream.device_name} refuses {source_rate} Hz: resampling to {stream.sample_rate} Hz")
        return _Output(stream, ring, source_rate, self._lead_ms, self._chunk_samples)

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S) and self._failure is None:
            with self._choosing:
                output = self._output
                if output is None or not output.is_dead(_LOOK_EVERY_S):
                    continue
                self._due_s = time.monotonic() - output.silent_s
                self._output, self._status = None, "lost"
                self._notice(f"lost {self._device_name}: the performance goes on unheard until it is back")
                closer = self._let_go(output)
            while not self._stop.wait(_RETRY_EVERY_S) and self._failure is None:
                with self._choosing:
                    if self._output is not None or (not closer.is_alive() and self._bring_back()):
                        break

    def _let_go(self, output: _Output) -> threading.Thread:
        closer = _release(output)
        self._past, self._output = _sum(self._past, output.ring.counters()), None
        self._warn_if_held(output, closer)
        return closer

    def _warn_if_held(self, output: _Output, closer: threading.Thread) -> None:
        if closer.is_alive():
            self._notice(
                f"{output.stream.device_name} does not let go of its stream: "
                "no device can be opened again before it does; if it stays so, start the program again"
            )

    def _bring_back(self) -> bool:
        try:
            self._begin(self._open(rescan=True))
        except CmaudioError:
            return False
        if self._status == "playing":
            self._notice(f"{self._device_name} is back")
        return True


def _sum(one: RingCounters, other: RingCounters) -> RingCounters:
    return RingCounters(
        one.callbacks + other.callbacks,
        one.starved_callbacks + other.starved_callbacks,
        one.missing_samples + other.missing_samples,
        one.played_samples + other.played_samples,
        one.underflows + other.underflows,
        max(one.peak, other.peak),
    )


def _fade_out(ring: Ring) -> None:
    """Mute, and wait until the callback has had the time to fade (0.1 s at most, if it lives)."""
    ring.mute()
    before = ring.counters().callbacks
    for _ in range(20):
        if ring.counters().callbacks >= before + 2 or not before:
            return
        time.sleep(0.005)
