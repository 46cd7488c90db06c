"""The current output: opening, switching, losing and reopening a device. Only one thread at a time opens a device."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults
from cmaudio.output.devices import OpenStream, OutputStream
from cmaudio.output.ring import Ring, RingCounters
from cmaudio.output.stream import BufferedStream, OutputSettings

LOOK_EVERY_S = 0.1
_HIGHEST_RATE_KHZ = 384
_RING_SLACK_SAMPLES = 65_536


class Outlet:
    """Holds the stream that plays the source.

    Args:
        settings: how the source is played.
        device: index, name or part of the name of a device, None for the default.
        open_stream: opens the device.
        notify: called with one line about each change.
        stopping: returns whether the player is closing.

    Attributes:
        current: the stream that plays or is being filled; None while the device is lost.
        lost: whether the device is gone.
        due_s: time (`time.monotonic`) at which the next chunk would have to be read while there is no stream.
        device_name: device of the current stream, or the last one.
        rate: sample rate of that stream, in Hz.
    """

    def __init__(
        self,
        settings: OutputSettings,
        device: str | int | None,
        open_stream: OpenStream,
        notify: Callable[[str], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._settings, self._device, self._open_stream = settings, device, open_stream
        self._notify, self._stopping = notify, stopping
        self._faults = Faults(notify)
        self._opening = threading.Lock()
        self._closed = RingCounters()  # of earlier streams
        self._closer: threading.Thread | None = None  # closes the lost stream
        self._ended: OutputStream | None = None  # the lost stream
        self.current: BufferedStream | None = None
        self.lost, self.due_s = False, 0.0
        self.device_name, self.rate = "", settings.source_rate

    def open(self) -> BufferedStream:
        """Open the device for the first time, without starting it. Raises CmaudioError."""
        self.current = self._opened(rescan=False)
        return self.current

    def use(self, device: str | int | None, open_stream: OpenStream | None) -> None:
        """Switch to another device once it plays. Raises CmaudioError if it does not, and keeps the old one."""
        with self._opening:
            if self._stopping():
                raise CmaudioError("the player is closing: start a new one on the other device")
            before = self._device, self._open_stream, self.device_name, self.rate
            self._device, self._open_stream = device, open_stream or self._open_stream
            old = self.current
            try:
                self._begin(self._opened(rescan=old is None))
            except Exception:
                self.current = old
                self._device, self._open_stream, self.device_name, self.rate = before
                raise
            if old is not None:
                old.fade_out()
                self._closed = self._closed.plus(old.ring.counters())
                self._warn_if_held(old, old.release())
            self._notify(f"playing on {self.device_name}")

    def release_if_dead(self) -> bool:
        """Close the stream if the device has stopped taking samples; returns whether it did. Called periodically."""
        with self._opening:
            stream = self.current
            if stream is None or not stream.is_dead(LOOK_EVERY_S):
                return False
            self.due_s = time.monotonic() - stream.silent_s
            self.current, self.lost = None, True
            self._notify(f"lost {self.device_name}: playback continues silently until it is back")
            self._closer, self._ended = self._let_go(stream), stream.stream
            return True

    def reopen(self) -> bool:
        """Try to reopen the lost device; returns whether there is an output, whoever opened it."""
        with self._opening:
            if self.current is not None:
                return True
            if self._closer is not None and self._closer.is_alive() and not (self._ended and self._ended.abandon()):
                return False
            try:
                self._begin(self._opened(rescan=True))
            except CmaudioError:
                return False
            if not self.lost:
                self._notify(f"{self.device_name} is back")
            return True

    def close(self) -> None:
        """Fade out and close the current stream."""
        with self._opening:
            if self.current is not None:
                self.current.fade_out()
                self._let_go(self.current)

    def counters(self) -> RingCounters:
        """The counters of all streams so far."""
        stream = self.current
        return self._closed.plus(stream.ring.counters()) if stream else self._closed

    def _opened(self, rescan: bool) -> BufferedStream:
        settings = self._settings
        ring = Ring(
            round(settings.lead_ms * _HIGHEST_RATE_KHZ) + _RING_SLACK_SAMPLES,
            source_channels=settings.channels,
            first_output=2 * (settings.pair - 1) if settings.channels == 2 else 0,
        )
        stream = self._open_stream(ring, settings.source_rate, self._device, settings.period_samples, rescan)
        self.device_name, self.rate = stream.device_name, stream.sample_rate
        if self._device is not None:
            self._device = stream.device_name  # indices change when devices come and go
        if stream.sample_rate != settings.source_rate:
            self._notify(
                f"{stream.device_name} refuses {settings.source_rate} Hz: resampling to {stream.sample_rate} Hz"
            )
        return BufferedStream(stream, ring, settings, self._faults)

    def _begin(self, stream: BufferedStream) -> None:
        """Start `stream` once its buffer is full. If it does not start, close it and raise its error."""
        self.current = stream
        while not stream.filled.wait(LOOK_EVERY_S):
            if self._stopping():
                return
        try:
            stream.stream.start()
        except Exception:
            self.due_s = time.monotonic()
            self._let_go(stream)
            raise
        self.lost = False

    def _let_go(self, stream: BufferedStream) -> threading.Thread:
        closer = stream.release()
        self._closed, self.current = self._closed.plus(stream.ring.counters()), None
        self._warn_if_held(stream, closer)
        return closer

    def _warn_if_held(self, stream: BufferedStream, closer: threading.Thread) -> None:
        if closer.is_alive() and not stream.stream.replaceable:
            self._notify(
                f"{stream.stream.device_name} does not release its stream, and no device can be opened until it does; "
                "if it never does, restart the program"
            )
