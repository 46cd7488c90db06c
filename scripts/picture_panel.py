"""Photograph the panel while it plays: the two pictures of the README, or all screens on which it is tested.

    python scripts/picture_panel.py                                        # panel.png and panel-phone.png
    python scripts/picture_panel.py --screens FOLDER [--model textures]    # five sizes, for looking at

Needs Chromium with its driver, and Selenium. The user's own presets, favourites and takes are neither read nor changed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cmaudio
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.host import Host
from cmaudio.panel.reach import Address

_HERE = Path(__file__).parent
_PORT = 8799
_PICTURES = {_HERE / "panel.png": (1280, 800), _HERE / "panel-phone.png": (390, 844)}
_SCREENS = ((1920, 1080), (1280, 800), (1024, 768), (844, 390), (390, 844))
_PHONE_PIXELS = 480  # a screen with a side this short is that of a telephone
_CHORD, _TIMBRE = (45, 57, 60, 64), "string ensemble 1"
_TEXT = "The panel is photographed while this is said, and it goes on for as long as the pictures take. " * 12
_TAKES = ("strings at dusk", "second idea", "first idea")
_SHOWN_SECONDS = 8.0  # until the spectrogram is full
_ARGUMENTS = "--headless=new --no-sandbox --disable-gpu --no-first-run --hide-scrollbars"


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    found, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if found is None or driver is None:
        raise SystemExit("Chromium or its driver is missing: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = found
    for argument in _ARGUMENTS.split():
        options.add_argument(argument)
    running = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield running
    finally:
        running.quit()


def photograph(page: Any, url: str, path: Path, width: int, height: int) -> None:
    """Open the page on a screen of this size in CSS pixels, wait until its spectrogram is drawn, and save it."""
    touch = min(width, height) < _PHONE_PIXELS
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": touch})
    page.get(url)
    time.sleep(_SHOWN_SECONDS)
    page.save_screenshot(str(path))
    print(path)


def play(synth: cmaudio.Synth, host: Host) -> None:
    """Sound, takes, and hints that have been read."""
    host.handler.choices.read_hints()
    if synth.model.manifest.speech is not None:
        synth.say(_TEXT)
    elif synth.model.drums and not any(timbre.pitched for timbre in synth.model.manifest.timbres):
        for key in list(synth.model.drums)[-3:]:
            synth.press(key, 90, timbre=synth.model.drums[key], channel=9)
    else:
        synth.controls.set_timbre(_TIMBRE)
        for pitch in _CHORD:
            synth.press(pitch, 90)
    time.sleep(4)
    for seconds, name in enumerate(reversed(_TAKES), 2):
        synth.keep(host.handler.takes.folder / f"{name}.wav", seconds)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", type=Path, help="photograph all screens into this folder instead")
    parser.add_argument("--model", default="instrument")
    arguments = parser.parse_args()
    pictures = dict(_PICTURES)
    if arguments.screens is not None:
        arguments.screens.mkdir(parents=True, exist_ok=True)
        pictures = {arguments.screens / f"{arguments.model}-{w}x{h}.png": (w, h) for w, h in _SCREENS}
    clock, address = ClockOutput(), Address("127.0.0.1", _PORT, None)
    with tempfile.TemporaryDirectory() as home, cmaudio.open(arguments.model, open_stream=clock) as synth:
        os.environ["HOME"] = home
        host = Host(synth, address, Path(home, "Music", "takes"), clock, print)
        try:
            play(synth, host)
            with browser() as page:
                for path, size in pictures.items():
                    photograph(page, address.url, path, *size)
        finally:
            host.close()


if __name__ == "__main__":
    main()
