"""A headless Chromium for the tests of the panel."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def running_browser(profile: Path) -> Iterator[Any]:
    """A Selenium driver, gone after the test. Skips where Chromium, its driver or Selenium is missing."""
    pytest.importorskip("selenium", reason="the panel is tested with Selenium: pip install selenium")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("the panel is tested in Chromium: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (*_QUIET.split(), f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(argument)
    running = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield running
    finally:
        running.quit()


def wait_for(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    """Until it is so; fails where it never is."""
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
