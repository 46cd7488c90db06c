"""Choosing an output device."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.output.devices import Device, find_device


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
