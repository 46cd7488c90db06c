"""A stream from an input device: PortAudio's callback puts blocks of samples into a queue."""

from __future__ import annotations

import queue
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cmaudio.errors import CmaudioError, DeviceError
from cmaudio.output import portaudio
from cmaudio.output.devices import Device, find_device, list_devices
from cmaudio.signal.dsp import Float


@dataclass(frozen=True)
class Block:
    """Samples (N, C) from an input; `gap`: some were lost before them."""

    samples: Float
    gap: bool = False


class InputStream(Protocol):
    """An open input."""

    sample_rate: int
    device_name: str

    def read(self, timeout: float) -> Block | None:
        """The next block; None if none came within `timeout` seconds. Raises DeviceError if the input has ended."""
        ...

    def close(self) -> None: ...


class OpenInput(Protocol):
    """Open and start an input, at the device's rate if it refuses `sample_rate`. Raises CmaudioError."""

    def __call__(self, device: str | int | None, channels: int, sample_rate: int) -> InputStream: ...


@dataclass(frozen=True)
class Inputs:
    """Opens input devices, as an `OpenInput`.

    Args:
        host_api: name, or part of it, of the host API whose devices are opened; by default that of the default device.
    """

    host_api: str | None = None

    def __call__(self, device: str | int | None, channels: int, sample_rate: int) -> InputStream:
        sd = portaudio.sounddevice()
        found = find_device(list_devices("input"), device, self.host_api, "input")
        if channels > found.max_input_channels:
            raise CmaudioError(
                f"{found.full_name} has {found.max_input_channels} inputs, not {channels}: ask for fewer channels, or "
                "choose another device"
            )
        return _Microphone(sd, found, channels, sample_rate)


class _Microphone:
    def __init__(self, sd: Any, device: Device, channels: int, sample_rate: int) -> None:
        self._sd, self.device_name = sd, device.full_name
        self._blocks: queue.SimpleQueue[Block] = queue.SimpleQueue()
        self.sample_rate = self._rate(device, channels, sample_rate)
        try:
            self._stream = sd.InputStream(
                samplerate=self.sample_rate,
                device=device.index,
                channels=channels,
                dtype="float32",
                latency="high",
                callback=self._arrived,
            )
            self._stream.start()
        except sd.PortAudioError as error:
            raise DeviceError(f"cannot open {self.device_name}: {error}") from error

    def _rate(self, device: Device, channels: int, sample_rate: int) -> int:
        for rate in dict.fromkeys((sample_rate, device.default_sample_rate)):
            with suppress(self._sd.PortAudioError, ValueError):
                self._sd.check_input_settings(device.index, channels, "float32", samplerate=rate)
                return rate
        raise DeviceError(
            f"{self.device_name} refuses float32 at {sample_rate} Hz and its own {device.default_sample_rate} Hz: "
            "choose another device, or close the program that uses it"
        )

    def _arrived(self, samples: Any, _frames: int, _time: object, status: Any) -> None:
        """On PortAudio's thread: only copies."""
        self._blocks.put(Block(np.array(samples, np.float32), bool(status.input_overflow)))

    def read(self, timeout: float) -> Block | None:
        try:
            return self._blocks.get(timeout=timeout)
        except queue.Empty:
            active = False
            with suppress(self._sd.PortAudioError):
                active = bool(self._stream.active)
            if not active:
                raise DeviceError(f"{self.device_name} has stopped: plug it in again, and repeat") from None
            return None

    def close(self) -> None:
        with suppress(self._sd.PortAudioError):
            self._stream.close(ignore_errors=True)
