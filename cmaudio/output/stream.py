"""An open output: the device's stream, the ring it plays, and a resampler from the source's rate."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cmaudio.callbacks import ANY_ERROR
from cmaudio.faults import Faults
from cmaudio.output.devices import OutputStream
from cmaudio.output.ring import Ring

_RELEASE_LIMIT_S = 2.0
_FADE_LIMIT_S = 0.1

_unreleased: list[Any] = []  # PortAudio may still write to the rings of streams that never closed


@dataclass(frozen=True)
class OutputSettings:
    """How a source is played, on any device.

    Attributes:
        source_rate: the source's sample rate, in Hz.
        lead_ms: length of the output buffer.
        chunk_samples: samples per read of the source.
        period_samples: samples per callback, 0 for the device's choice.
        dead_after_s: seconds without a callback after which a device counts as lost.
        channels: of the source: 1, 2, or more for several pairs.
        pair: the output pair that plays a stereo source, from 1; several pairs start at the first.
    """

    source_rate: int
    lead_ms: float
    chunk_samples: int
    period_samples: int
    dead_after_s: float
    channels: int = 1
    pair: int = 1


class BufferedStream:
    """The stream of an open device, the ring that it plays, and a resampler if the device's rate differs.

    Args:
        stream: of the device.
        ring: that it plays.
        settings: how the source is played.
        faults: receives the resampler's errors.
    """

    def __init__(self, stream: OutputStream, ring: Ring, settings: OutputSettings, faults: Faults) -> None:
        self.stream, self.ring, self.rate = stream, ring, stream.sample_rate
        self.filled = threading.Event()  # the output buffer has been full once
        self.silent_s = 0.0  # since the last callback
        self._dead_after_s = settings.dead_after_s
        self._lead_samples = round(settings.lead_ms * self.rate / 1000)
        self._chunk_samples = -(-settings.chunk_samples * self.rate // settings.source_rate)
        self._callbacks = 0
        self._settings, self._faults = settings, faults
        self._resampler: Any = self._new_resampler() if self.rate != settings.source_rate else None

    @property
    def lead_samples(self) -> int:
        """The output buffer in samples of the device: larger than requested if one callback needs more."""
        lead = max(self._lead_samples, self.ring.largest_request_samples + self._chunk_samples)
        return min(lead, self.ring.capacity_samples - 2 * self._chunk_samples)

    def wants_more(self) -> bool:
        """Whether the output buffer has room for a chunk; sets `filled` if not."""
        if self.ring.readable < self.lead_samples:
            return True
        self.filled.set()
        return False

    @property
    def behind(self) -> bool:
        """Whether the output buffer, once filled, is less than half full: the source is too slow."""
        return self.filled.is_set() and self.ring.readable < self.lead_samples // 2

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        """Append samples (N,) or (N, channels) at the source's rate; silence in place of what cannot be resampled."""
        self.ring.write(samples if self._resampler is None else self._resampled(samples))

    def _resampled(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        try:
            return self._resampler.resample_chunk(samples)
        except ANY_ERROR as error:
            self._faults.handle(error, "silence was played where resampling failed")
            self._resampler = self._new_resampler()  # the state of the old one is unknown
            return np.zeros((len(samples) * self.rate // self._settings.source_rate, *samples.shape[1:]), np.float32)

    def _new_resampler(self) -> Any:
        import soxr

        settings = self._settings
        return soxr.ResampleStream(settings.source_rate, self.rate, settings.channels, dtype="float32")

    def is_dead(self, waited_s: float) -> bool:
        """Whether the device has stopped taking samples; called every `waited_s` seconds."""
        callbacks = self.ring.counters().callbacks
        # Counted in waits, not by the clock, so that the device does not count as lost after a suspend.
        self.silent_s = 0.0 if callbacks != self._callbacks else self.silent_s + waited_s
        self._callbacks = callbacks
        return self.silent_s >= self._dead_after_s or not self.stream.active

    def fade_out(self) -> None:
        """Mute, and give the callback time to fade."""
        self.ring.mute()
        before, until = self.ring.counters().callbacks, time.monotonic() + _FADE_LIMIT_S
        while before and self.ring.counters().callbacks < before + 2 and time.monotonic() < until:
            time.sleep(0.005)

    def release(self, limit_s: float = _RELEASE_LIMIT_S) -> threading.Thread:
        """Close the stream, waiting no longer than `limit_s`; the thread returned is alive if the device hangs."""

        def close() -> None:
            self.stream.close()
            _unreleased.remove(self)

        closer = threading.Thread(target=close, name="cmaudio-close", daemon=True)
        _unreleased.append(self)
        closer.start()
        closer.join(limit_s)
        return closer
