"""Host APIs: which one plays, in the words of a faked sounddevice."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.cli.options import sound_cards
from cmaudio.errors import CmaudioError
from cmaudio.output import host_api
from cmaudio.output.devices import SoundCards, find_device, list_devices
from cmaudio.output.host_api import ASIO, ENABLED, WASAPI, matching_api, preferred_api, stream_settings
from cmaudio.output.ring import Ring

MME = "MME"


class WindowsSound:
    """As much of sounddevice as listing and opening takes, with the answers of a Windows with two cards."""

    PortAudioError = OSError
    _lib = SimpleNamespace()
    _ffi = SimpleNamespace(cast=lambda kind, value: value)

    def __init__(self, *names: str) -> None:
        self.apis = [
            {"name": name, "default_output_device": 3 * i + 1, "default_input_device": 3 * i + 2}
            for i, name in enumerate(names)
        ]
        self.opened: dict[str, Any] = {}

    def query_hostapis(self) -> list[dict[str, Any]]:
        return self.apis

    def query_devices(self, kind: str | None = None) -> Any:
        names = [("HDMI", 2, 0), ("Speakers", 2, 0), ("Microphone", 0, 1)]
        found = [
            {"index": 3 * api + i, "name": name, "hostapi": api, "max_output_channels": outputs,
             "max_input_channels": inputs, "default_samplerate": 48_000.0}
            for api in range(len(self.apis))
            for i, (name, outputs, inputs) in enumerate(names)
        ]  # fmt: skip
        return found if kind is None else found[1 if kind == "output" else 2]

    def check_output_settings(self, *args: Any, **settings: Any) -> None: ...

    def WasapiSettings(self, **settings: Any) -> dict[str, Any]:
        return settings

    def _StreamBase(self, **settings: Any) -> Any:
        self.opened = settings
        return SimpleNamespace()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> WindowsSound:
    return on_windows(monkeypatch, MME, "Windows DirectSound", WASAPI)


def on_windows(monkeypatch: pytest.MonkeyPatch, *names: str) -> WindowsSound:
    found = WindowsSound(*names)
    monkeypatch.setattr("cmaudio.output.portaudio.sounddevice", lambda: found)
    monkeypatch.setattr(host_api, "PLATFORM", "win32")
    return found


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((MME, "Windows DirectSound", WASAPI, "Windows WDM-KS"), WASAPI),
        ((MME, WASAPI, ASIO), ASIO),
        ((MME, "Windows DirectSound"), MME),
    ],
)
def test_the_fastest_host_api_is_the_default_on_windows(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], expected: str
) -> None:
    on_windows(monkeypatch, *names)
    for kind, name in (("output", "Speakers"), ("input", "Microphone")):
        found = find_device(list_devices(kind), None, kind=kind)  # type: ignore[arg-type]
        assert found.full_name == f"{name}, {expected}"
    assert find_device(list_devices(), "hdmi").host_api == expected, "of several of one name"


@pytest.mark.parametrize(("platform", "device", "expected"), [("linux", 0, None), ("win32", 0, 0), ("win32", -1, None)])
def test_other_systems_and_apis_without_devices_keep_the_default(
    monkeypatch: pytest.MonkeyPatch, platform: str, device: int, expected: int | None
) -> None:
    monkeypatch.setattr(host_api, "PLATFORM", platform)
    assert preferred_api([{"name": WASAPI, "default_output_device": device}], "output") == expected


@pytest.mark.parametrize(
    ("wanted", "api", "expected"),
    [
        (None, "mme", "Speakers, MME"),
        ("hdmi", "direct", "HDMI, Windows DirectSound"),
        (7, "WASAPI", f"Speakers, {WASAPI}"),
    ],
)
def test_a_device_is_chosen_by_its_host_api(
    windows: WindowsSound, wanted: str | int | None, api: str, expected: str
) -> None:
    assert find_device(list_devices(), wanted, api).full_name == expected


def test_an_unknown_host_api_is_named_with_those_there_are(windows: WindowsSound) -> None:
    for wanted, said in (("jack", "no device has a host API 'jack'"), ("windows", "several host APIs match 'windows'")):
        with pytest.raises(CmaudioError, match=f"{said}. There are: MME, Windows DirectSound, Windows WASAPI"):
            find_device(list_devices(), None, wanted)
    with pytest.raises(CmaudioError, match="there is no output device 1"):
        find_device(list_devices(), 1, "wasapi")
    assert matching_api(" ASIO ", [ASIO, "ASIO4ALL"]) == ASIO


@pytest.mark.parametrize("exclusive", [False, True])
def test_wasapi_is_opened_shared_or_exclusive(windows: WindowsSound, exclusive: bool) -> None:
    SoundCards("wasapi", exclusive)(Ring(64), 48_000, None, 0, False)
    assert windows.opened["device"] == 7
    assert windows.opened["extra_settings"] == ({"exclusive": True} if exclusive else None)


def test_only_wasapi_is_opened_exclusively(windows: WindowsSound) -> None:
    with pytest.raises(CmaudioError, match="only Windows WASAPI has an exclusive mode, not MME"):
        SoundCards("mme", True)(Ring(64), 48_000, None, 0, False)
    assert stream_settings(windows, MME, False) is None


def test_asio_is_enabled_before_sounddevice_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_api, "PLATFORM", "win32")
    monkeypatch.setenv(ENABLED, "")  # so that it is gone afterwards
    monkeypatch.delenv(ENABLED)
    monkeypatch.setitem(sys.modules, "sounddevice", None)  # it counts as imported
    with pytest.raises(CmaudioError, match="imported without ASIO"):
        sound_cards(asio=True)
    monkeypatch.delitem(sys.modules, "sounddevice")
    assert sound_cards(asio=True) == SoundCards(ASIO)
    assert os.environ[ENABLED] == "1"
    both: tuple[dict[str, Any], ...] = ({"host_api": "wasapi"}, {"exclusive": True})
    for settings in both:
        with pytest.raises(CmaudioError, match="omit --host-api and --exclusive"):
            sound_cards(asio=True, **settings)
    on_windows(monkeypatch, MME, WASAPI)
    with pytest.raises(CmaudioError, match=r"no device has a host API 'ASIO'.*install the driver of the card's maker"):
        find_device(list_devices(), None, ASIO)


@pytest.mark.parametrize("command", [["devices"], ["play"], ["say", "Hello."], ["demo", "play", "pocket"]])
def test_asio_elsewhere_is_an_error(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setattr(host_api, "PLATFORM", "linux")
    result = CliRunner().invoke(app, [*command, "--asio"])
    assert "ASIO drivers exist on Windows only" in str(result.exception)


def test_lists_name_the_host_api(windows: WindowsSound) -> None:
    shown = CliRunner().invoke(app, ["devices", "--inputs"]).output
    assert shown.count("Microphone") == 3
    assert all(name in shown for name in (MME, "Windows DirectSound", WASAPI))
    assert "Speakers" not in shown
