"""The sound card: the available output devices, and a PortAudio stream that plays a ring on one of them.

sounddevice is imported when a device is opened or listed.
"""

import atexit
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from cmaudio.errors import CmaudioError, DeviceError
from cmaudio.output import portaudio
from cmaudio.output.callback import output_callback
from cmaudio.output.host_api import matching_api, preferred_api, stream_settings
from cmaudio.output.ring import Ring

Kind = Literal["input", "output"]
_JACK = "JACK Audio Connection Kit"


class OutputStream(Protocol):
    """An open stream that plays a ring. `start` raises CmaudioError; `close` may never return on a dead device.

    `abandon` gives up a stream whose `close` does not return, and returns whether another may be opened now. It may
    return True later, if the stream is `replaceable`.
    """

    sample_rate: int
    device_name: str
    replaceable: bool

    @property
    def active(self) -> bool: ...
    def start(self) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> bool: ...


class OpenStream(Protocol):
    """Open a stream, at the device's rate if it refuses `sample_rate`; `rescan` searches for devices again."""

    def __call__(
        self, ring: Ring, sample_rate: int, device: str | int | None, period_samples: int, rescan: bool
    ) -> OutputStream: ...


@dataclass(frozen=True)
class Device:
    """One device as PortAudio names it. `is_api_default`: the default of its host API."""

    index: int
    name: str
    host_api: str
    max_output_channels: int
    default_sample_rate: int
    is_default: bool
    max_input_channels: int = 0
    is_api_default: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.name}, {self.host_api}"


def list_devices(kind: Kind = "output") -> list[Device]:
    """The devices that existed when PortAudio started. Raises CmaudioError if PortAudio is missing."""
    sd = portaudio.sounddevice()
    apis, default = sd.query_hostapis(), -1
    preferred = preferred_api(apis, kind)
    if preferred is not None:
        default = apis[preferred][f"default_{kind}_device"]
    else:
        with suppress(sd.PortAudioError, ValueError):
            default = sd.query_devices(kind=kind)["index"]
    return [
        Device(
            index=info["index"],
            name=info["name"],
            host_api=apis[info["hostapi"]]["name"],
            max_output_channels=info["max_output_channels"],
            default_sample_rate=round(info["default_samplerate"]),
            is_default=info["index"] == default,
            max_input_channels=info["max_input_channels"],
            is_api_default=info["index"] == apis[info["hostapi"]][f"default_{kind}_device"],
        )
        for info in sd.query_devices()
        if info[f"max_{kind}_channels"] > 0
    ]


def find_device(
    devices: Sequence[Device], wanted: str | int | None, host_api: str | None = None, kind: Kind = "output"
) -> Device:
    """The device of that index, name or part of a name, on a host API (or part of its name) if one is given.

    None is the default. Raises CmaudioError naming the devices, or the host APIs.
    """
    if not devices:
        raise DeviceError(f"there is no {kind} device: plug in or switch on a sound card, or start the sound server")
    if host_api is not None:
        api = matching_api(host_api, [device.host_api for device in devices])
        devices = [replace(d, is_default=d.is_api_default) for d in devices if d.host_api == api]
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    if isinstance(wanted, int):
        found = [device for device in devices if device.index == wanted]
    else:
        found = [device for device in devices if wanted in (device.name, device.full_name)]
        found = found or [device for device in devices if wanted.lower() in device.full_name.lower()]
        default_api = next((device.host_api for device in devices if device.is_default), None)
        # Windows lists every sound card once for each host API.
        found = found if len(found) == 1 else [d for d in found if d.host_api == default_api] or found
    if len(found) != 1:
        what = f"several {kind} devices match" if found else f"there is no {kind} device"
        names = "; ".join(f"{device.index} {device.full_name}" for device in found or devices)
        raise DeviceError(f"{what} {wanted!r}. There are: {names}")
    return found[0]


class _SoundCard:
    def __init__(
        self, sd: Any, ring: Ring, device: Device, sample_rate: int, period_samples: int, exclusive: bool = False
    ) -> None:
        self._sd, self._library, self._ring, self.device_name = sd, sd._lib, ring, device.full_name
        self.replaceable = device.host_api == _JACK and portaudio.CAN_BE_REPLACED
        self._started = self._closed = self._abandoned = False
        self._extra = stream_settings(sd, device.host_api, exclusive)
        self.sample_rate, ring.channels = self._settings(
            device, sample_rate, ring.first_output + max(2, ring.source_channels)
        )
        try:
            self._stream = sd._StreamBase(
                kind="output",
                samplerate=self.sample_rate,
                blocksize=period_samples,
                device=device.index,
                channels=ring.channels,
                dtype="float32",
                latency="low",
                callback=sd._ffi.cast("void *", output_callback().address),
                userdata=sd._ffi.cast("void *", ring.pointer),
                extra_settings=self._extra,
            )
        except sd.PortAudioError as error:
            raise DeviceError(f"cannot open {self.device_name}: {error}") from error

    def _settings(self, device: Device, sample_rate: int, least: int) -> tuple[int, int]:
        """Its rate, and its number of channels: `least` if it has them; one for a mono card."""
        most = device.max_output_channels
        if least > max(2, most):
            raise CmaudioError(
                f"{self.device_name} has {most} outputs, and pair {least // 2} of them needs {least}: choose pairs "
                f"from 1 to {max(1, most // 2)}, or another device"
            )
        for rate in dict.fromkeys((sample_rate, device.default_sample_rate)):
            for channels in dict.fromkeys((min(least, most), most)):
                with suppress(self._sd.PortAudioError, ValueError):
                    self._sd.check_output_settings(
                        device.index, channels, "float32", samplerate=rate, extra_settings=self._extra
                    )
                    return rate, channels
        rates = f"{sample_rate} Hz and its own {device.default_sample_rate} Hz"
        raise DeviceError(
            f"{self.device_name} refuses float32 at {rates}: choose another device, or close the program that uses it"
        )

    @property
    def active(self) -> bool:
        with suppress(self._sd.PortAudioError):
            return self._library is self._sd._lib and bool(self._stream.active)
        return False

    def start(self) -> None:
        try:
            self._stream.start()
        except self._sd.PortAudioError as error:
            raise DeviceError(f"cannot start {self.device_name}: {error}") from error
        self._started = True

    def abandon(self) -> bool:
        """Leave a stream whose JACK server has ended, which PortAudio cannot close (`cmaudio.output.portaudio`)."""
        if self.replaceable and self._started and not (self._abandoned or self._closed or self.active):
            self._abandoned = self._library is not self._sd._lib or portaudio.replace(self)
        return self._abandoned

    def close(self) -> None:
        if self.abandon():
            return
        # At exit sounddevice closes open streams: a close that never returned must not be tried again.
        atexit.unregister(self._sd._exit_handler)
        with suppress(self._sd.PortAudioError):
            self._stream.stop()
        if not self._abandoned:
            self._stream.close(ignore_errors=True)
            self._closed = True
            atexit.register(self._sd._exit_handler)


def open_sound_card(
    ring: Ring, sample_rate: int, device: str | int | None, period_samples: int, rescan: bool
) -> OutputStream:
    """Open a PortAudio output stream on `ring` (see `OpenStream`); `rescan` closes all PortAudio streams.

    Raises CmaudioError: no PortAudio, no such device, or the device refuses.
    """
    return SoundCards()(ring, sample_rate, device, period_samples, rescan)


@dataclass(frozen=True)
class SoundCards:
    """Opens output streams, as an `OpenStream`.

    Args:
        host_api: name, or part of it, of the host API whose devices are opened; by default that of the default device.
        exclusive: use the card alone, which Windows WASAPI can.
    """

    host_api: str | None = None
    exclusive: bool = False

    def __call__(
        self, ring: Ring, sample_rate: int, device: str | int | None, period_samples: int, rescan: bool
    ) -> OutputStream:
        sd = portaudio.initialise_again() if rescan else portaudio.sounddevice()
        found = find_device(list_devices(), device, self.host_api)
        return _SoundCard(sd, ring, found, sample_rate, period_samples, self.exclusive)
