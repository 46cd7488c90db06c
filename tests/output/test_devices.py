"""Choosing an output device."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.output.devices import Device, _SoundCard, find_device
from cmaudio.output.ring import Ring


def test_find_device_names_what_there_is() -> None:
    def device(index: int, name: str, api: str, default: bool = False) -> Device:
        return Device(index, name, api, 2, 48_000, default)

    devices = [device(1, "Speakers", "MME"), device(4, "Speakers", "WASAPI", True), device(7, "USB DAC", "WASAPI")]
    assert find_device(devices, None).index == 4
    assert find_device(devices, 7).name == "USB DAC"
    assert find_device(devices, "speakers").index == 4
    assert find_device(devices, "Speakers, MME").index == 1
    assert find_device(devices, "usb").index == 7
    for wrong in ("Theremin", 3):
        with pytest.raises(CmaudioError, match="There are: 1 Speakers, MME; 4 Speakers, WASAPI; 7 USB DAC"):
            find_device(devices, wrong)
    with pytest.raises(CmaudioError, match="several output devices"):
        find_device(devices[:1] * 2, "speak")
    with pytest.raises(CmaudioError, match="no output device: plug in"):
        find_device([], None)


class FakeSoundDevice:
    """As much of sounddevice as opening a stream takes; it accepts everything."""

    PortAudioError = OSError
    _lib = SimpleNamespace()
    _ffi = SimpleNamespace(cast=lambda kind, value: value)

    def check_output_settings(self, *args: Any, **settings: Any) -> None: ...

    def _StreamBase(self, **settings: Any) -> dict[str, Any]:
        return settings


@pytest.mark.parametrize(("outputs", "pair", "channels"), [(1, 1, 1), (2, 1, 2), (8, 1, 2), (8, 3, 6), (6, 3, 6)])
def test_a_pair_of_outputs_is_opened(outputs: int, pair: int, channels: int) -> None:
    ring = Ring(64, source_channels=2, first_output=2 * (pair - 1))
    card = Device(0, "Card", "API", outputs, 48_000, True)
    _SoundCard(FakeSoundDevice(), ring, card, 48_000, 0)
    assert ring.channels == channels


def test_several_pairs_of_outputs_are_opened() -> None:
    ring = Ring(64, source_channels=6)
    _SoundCard(FakeSoundDevice(), ring, Device(0, "Card", "API", 8, 48_000, True), 48_000, 0)
    assert ring.channels == 6


@pytest.mark.parametrize("ring", [Ring(64, source_channels=2, first_output=4), Ring(64, source_channels=6)])
def test_a_pair_that_a_device_lacks_is_named_with_those_it_has(ring: Ring) -> None:
    with pytest.raises(CmaudioError, match=r"Card, API has 4 outputs, and pair 3 .* needs 6: choose pairs from 1 to 2"):
        _SoundCard(FakeSoundDevice(), ring, Device(0, "Card", "API", 4, 48_000, True), 48_000, 0)


def test_missing_portaudio_names_the_package() -> None:
    code = """
import ctypes.util
ctypes.util.find_library = lambda name: None
from cmaudio.output.devices import list_devices
list_devices()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if sys.platform == "linux":
        assert "apt install libportaudio2" in result.stderr
