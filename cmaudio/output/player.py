"""Playing a source on the sound card, and recovering from device failures.

Three threads, so that none waits for another: one reads the source and fills the output buffer, one watches the
device, one delivers notices. numba is imported when a device is opened.
"""

from __future__ import annotations

import atexit
import gc
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from cmaudio.checks import in_range, whole_number
from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults
from cmaudio.output import portaudio
from cmaudio.output.callback import output_callback
from cmaudio.output.devices import OpenStream, open_sound_card
from cmaudio.output.feeder import Feeder
from cmaudio.output.interpreter import enter_real_time, freeze_garbage, leave_real_time
from cmaudio.output.notices import Notices
from cmaudio.output.outlet import LOOK_EVERY_S, Outlet
from cmaudio.output.source import Source
from cmaudio.output.state import PlayerState, Status
from cmaudio.output.stream import OutputSettings
from cmaudio.system import raise_thread_priority, trim_freed_memory

LEAD_MS = 40.0
_MOST_PAIRS = 128
_JOIN_LIMIT_S = 4.0
_PLACING_CHUNKS = 1.0  # margin for chunks that may just have been read
_FIRST_RETRY_S, _LAST_RETRY_S, _LATER = 0.5, 5.0, 1.5  # each retry scans all devices


class Player:
    """Plays a source until it is closed. A context manager; its methods may be called from any thread.

    An error in the source fades to silence, and is raised by the next call of `wake`, `raise_if_failed` or `close`.

    Args:
        source: produces the samples, at its own sample rate.
        device: index, name or part of the name of a device, None for the default.
        lead_ms: the output buffer: how far synthesis runs ahead of the sound card.
        period_samples: samples per callback, 0 for the device's choice.
        chunk_samples: samples per read of the source.
        on_notice: called with one line about each problem, on a separate thread.
        open_stream: opens the device.
        dead_after_s: seconds without a callback after which the device counts as lost.
        pair: which pair of the device's outputs plays a source of two channels: 1 is the first two, 2 the next.

    Raises:
        CmaudioError: an output buffer, a number of samples or a pair that is not positive.
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
        dead_after_s: float = 0.5,
        pair: int = 1,
    ) -> None:
        if not in_range("lead_ms", lead_ms, -math.inf, math.inf, "ms") > 0 or chunk_samples < 1 or period_samples < 0:
            raise CmaudioError(
                f"cannot play with lead_ms={lead_ms}, {chunk_samples=}, {period_samples=}: lead_ms must be above 0, "
                "chunk_samples at least 1 and period_samples at least 0"
            )
        self._settings = OutputSettings(
            source_rate=source.sample_rate,
            lead_ms=lead_ms,
            chunk_samples=chunk_samples,
            period_samples=period_samples,
            dead_after_s=dead_after_s,
            channels=source.channels,
            pair=whole_number("pair", pair, 1, _MOST_PAIRS),
        )
        self._notices = Notices(on_notice)
        self._outlet = Outlet(self._settings, device, open_stream, self._notices.add, lambda: self._wait_for_stop(0))
        self._feeder = Feeder(source, self._outlet, chunk_samples)
        self._stop = threading.Event()
        self._started = self._closed = False
        self._failure: BaseException | None = None
        self._failure_raised = False
        self._threads: dict[str, threading.Thread] = {}

    def start(self) -> Self:
        """Open the device, fill the output buffer, start playing. Raises CmaudioError, or the source's error."""
        if self._started:
            raise CmaudioError("a Player can be started only once: create a new one")
        output_callback()  # compiling it leaves much memory to free
        gc.collect()
        trim_freed_memory()
        stream = self._outlet.open()
        enter_real_time()
        self._started = True
        try:
            self._spawn("synthesis", self._synthesise)
            self._notices.start()
            stream.filled.wait()
            self.raise_if_failed()
            freeze_garbage()
            stream.stream.start()
            self._spawn("device", lambda: _keep_open(self._outlet, self._wait_for_stop, Faults(self._notices.add)))
            atexit.register(self._close_at_exit)  # after sounddevice registered its own, so before that runs
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
        with suppress(Exception):  # the current error says more
            self.close()
        return None

    def use_device(self, device: str | int | None, open_stream: OpenStream | None = None) -> None:
        """Switch to another output without interrupting the sound; the old one is closed once the new one plays.

        Args:
            device: see the class.
            open_stream: opens it; by default the previous opener.

        Raises:
            CmaudioError: it cannot be opened; then the old one keeps playing.
        """
        if self.status not in ("playing", "lost"):
            raise CmaudioError(f"a player that is {self.status} has no device to change: start a new one")
        self._outlet.use(device, open_stream)

    def notify(self, text: str) -> None:
        """Deliver a notice like those of the player's own; from any thread, without waiting."""
        self._notices.add(text)

    def wake(self) -> None:
        """Make the synthesis thread check for new events now. Raises the source's error, if it failed."""
        self._feeder.wake.set()
        self.raise_if_failed()

    def raise_if_failed(self) -> None:
        """Raise the error of `source.read`, if it failed."""
        if self._failure is not None:
            self._failure_raised = True
            raise self._failure

    @property
    def status(self) -> Status:
        if not self._started:
            return "new"
        if self._closed:
            return "closed"
        if self._failure is not None:
            return "failed"
        return "lost" if self._outlet.lost else "playing"

    def state(self) -> PlayerState:
        """A snapshot; never raises."""
        outlet, stream = self._outlet, self._outlet.current
        return PlayerState(
            status=self.status,
            device_name=outlet.device_name,
            sample_rate=outlet.rate,
            lead_ms=1000 * stream.ring.readable / stream.rate if stream else 0.0,
            load=self._feeder.load,
            counters=outlet.counters(),
            notices=self._notices.recent,
            failure=self._failure,
        )

    def place(self, seconds: float) -> int:
        """The source's sample at which something that happened at `seconds` (of `time.perf_counter`) should sound.

        It lies a constant time after the sample heard then, just late enough not to have been read yet: regular events
        sound regular, however far the source is read ahead.
        """
        stream = self._outlet.current
        rate = self._settings.source_rate
        lead = stream.lead_samples * rate / stream.rate if stream else self._settings.lead_ms / 1000 * rate
        return max(0, round(self._feeder.clock.at(seconds) + lead + _PLACING_CHUNKS * self._settings.chunk_samples))

    def heard_at(self, sample: float) -> float:
        """When a sample of the source is heard, or will be, by `time.perf_counter`."""
        seconds = self._feeder.clock.where(sample)
        return time.perf_counter() if seconds is None else seconds

    def heard_by(self, seconds: float) -> float:
        """The sample of the source that is heard at `seconds` of `time.perf_counter`."""
        return self._feeder.clock.at(seconds)

    def take_peak(self) -> float:
        """The largest absolute sample played since the last call, for a meter."""
        stream = self._outlet.current
        return stream.ring.take_peak() if stream else 0.0

    def close(self) -> None:
        """Fade out, close the device, end the threads; takes a few seconds at most. Raises the source's error."""
        if not self._started or self._stop.is_set():
            return
        atexit.unregister(self._close_at_exit)
        self._stop.set()
        self._feeder.wake.set()
        self._join("synthesis", "device")
        self._outlet.close()
        self._notices.close(_JOIN_LIMIT_S)
        leave_real_time()
        self._closed = True
        if not self._failure_raised:
            self.raise_if_failed()

    def _close_at_exit(self) -> None:
        """A script may end without closing: the stream must end before PortAudio does, or JACK aborts the process."""
        with suppress(BaseException):
            self.close()
        portaudio.terminate()

    def _spawn(self, job: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"cmaudio-{job}", daemon=True)
        self._threads[job] = thread
        thread.start()

    def _join(self, *jobs: str) -> None:
        for job in jobs:
            thread = self._threads.get(job)
            if thread is not None and thread is not threading.current_thread():
                thread.join(_JOIN_LIMIT_S)

    def _wait_for_stop(self, seconds: float) -> bool:
        return self._stop.wait(seconds) or self._failure is not None

    def _synthesise(self) -> None:
        raise_thread_priority()
        try:
            while not self._stop.is_set():
                self._feeder.step()
        except BaseException as error:
            self._failure = error
            self._notices.add(f"the sound stopped: {type(error).__name__}: {error}")
            stream = self._outlet.current
            if stream is not None:
                stream.ring.mute()
                stream.filled.set()


def _keep_open(outlet: Outlet, wait_for_stop: Callable[[float], bool], faults: Faults) -> None:
    """Keep `outlet` open until `wait_for_stop(seconds)`, which waits at most that long, returns True."""
    while not wait_for_stop(LOOK_EVERY_S):
        if faults.attempt("the device could not be checked", outlet.release_if_dead):
            pause_s = _FIRST_RETRY_S
            while not wait_for_stop(pause_s) and not faults.attempt("the device could not be opened", outlet.reopen):
                pause_s = min(_LATER * pause_s, _LAST_RETRY_S)
