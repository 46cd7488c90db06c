"""Fixtures of the panel's tests; no sound card is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import TinyModel
from fixtures.browser import element, running_browser, wait_for
from fixtures.panel import Pages, running_host, silence

from cmaudio.files import folders
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.synth import Synth, open


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders for what is kept, instead of the user's."""
    kept = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "user_folder", lambda: kept / "config")
        patch.setattr(folders, "state_folder", lambda: kept / "state")
        yield kept


@pytest.fixture(scope="module")
def clock() -> ClockOutput:
    """An output without a sound card."""
    return ClockOutput()


@pytest.fixture(scope="module")
def synth(tiny: TinyModel, clock: ClockOutput) -> Iterator[Synth]:
    """A playing instrument."""
    with open(tiny.model, open_stream=clock, lead_ms=60, polyphony=8) as playing:
        yield playing


@pytest.fixture
def pages(synth: Synth, clock: ClockOutput, tmp_path: Path) -> Iterator[Pages]:
    """A command handler on the instrument, which is silent afterwards."""
    found = Pages(synth, tmp_path, clock)
    yield found
    found.handler.close()
    silence(synth)


@pytest.fixture(scope="module")
def host(synth: Synth, clock: ClockOutput, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The instrument with its page served, without a token."""
    yield from running_host(synth, clock, tmp_path_factory.mktemp("takes"), None)


@pytest.fixture(scope="module")
def guarded(synth: Synth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same with a token."""
    yield from running_host(synth, ClockOutput(), tmp_path_factory.mktemp("guarded"), "s3cret")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A headless browser, which `--browser` chooses."""
    yield from running_browser(tmp_path_factory.mktemp("profile"), request.config.getoption("--browser"))


@pytest.fixture(scope="module")
def page(browser: Any, host: Any) -> Any:
    """The page, loaded and connected, with its tone unfolded."""
    browser.get(host.address.url)
    wait_for(lambda: browser.execute_script("return document.querySelector('cm-load .buffer b')?.textContent"), 40)
    element(browser, 'details[data-fold="tone"] > summary').click()
    return browser


@pytest.fixture
def quiet(page: Any, synth: Synth) -> Iterator[Any]:
    """The page while nothing sounds."""
    silence(synth)
    yield page
    silence(synth)
