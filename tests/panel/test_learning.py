"""Timbres learned from the panel: from takes, and from sounds dropped on a page."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.browser import element, wait_for
from fixtures.examples import thud, written
from fixtures.panel import Pages, answer, connect, running_host

from cmaudio.model.file import load_model
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.synth import Synth, open


@pytest.fixture(scope="module")
def clock() -> ClockOutput:
    return ClockOutput()


@pytest.fixture
def learner(clock: ClockOutput) -> Iterator[Synth]:
    with open("textures", open_stream=clock, lead_ms=60, polyphony=8) as playing:
        yield playing


def test_a_take_is_learned_and_the_pages_get_a_new_map_and_a_file(
    learner: Synth, clock: ClockOutput, tmp_path: Path
) -> None:
    pages = Pages(learner, tmp_path, clock)
    written(tmp_path / "door.wav", thud())
    pages.send("learn_sound", file="door.wav")
    hello = pages.next()
    assert hello["kind"] == "hello"
    assert hello["map"][-1]["name"] == "door"
    assert "learned as 'door'" in pages.notice()
    assert learner.controls.timbre == {"door": 1.0}
    assert "door" in load_model(tmp_path / "learned.cmaudio").timbres
    assert learner.model.path == tmp_path / "learned.cmaudio"
    pages.send("undo")
    assert "undone" in pages.next()["text"]
    assert learner.controls.timbre != {"door": 1.0}
    pages.handler.close()


@pytest.mark.parametrize("file", ["no.wav", "../door.wav", "door.txt", "/etc/passwd"])
def test_files_elsewhere_are_refused(pages: Pages, file: str) -> None:
    pages.send("learn_sound", file=file)
    assert "there is no sound file" in pages.refusal()


def test_a_model_without_a_prior_says_so(pages: Pages, tmp_path: Path) -> None:
    written(tmp_path / "door.wav", thud())
    pages.send("learn_sound", file="door.wav")
    assert "no prior" in pages.refusal()


def post(host: Any, query: str, body: bytes, **headers: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{host.address.port}/examples?{query}", body, headers)
    try:
        with urllib.request.urlopen(request) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def served(synth: Synth, clock: ClockOutput, tmp_path: Path) -> Iterator[Any]:
    yield from running_host(synth, clock, tmp_path / "takes", None)


def test_a_dropped_sound_is_written_and_learned_from(served: Any, tmp_path: Path) -> None:
    sound = written(tmp_path / "my door.wav", thud()).read_bytes()
    with connect(served, "/live?client=me") as socket:
        assert post(served, "client=me&name=my%2Fdoor.wav", sound) == 202
        assert "no prior" in answer(socket)["text"]  # the tiny model has none
    assert [path.name for path in (tmp_path / "takes").iterdir()] == ["door.wav"]
    refused: tuple[tuple[str, bytes, dict[str, str], int], ...] = (
        ("client=me&name=door.txt", sound, {}, 415),
        ("client=me&name=door.wav", b"", {}, 400),
        ("client=me/you&name=door.wav", sound, {}, 400),
        ("client=me&name=door.wav", sound, {"Origin": "http://elsewhere"}, 403),
    )
    for query, body, headers, status in refused:
        assert post(served, query, body, **headers) == status
    assert len(list((tmp_path / "takes").iterdir())) == 1


@pytest.fixture
def learning_host(learner: Synth, clock: ClockOutput, tmp_path: Path) -> Iterator[Any]:
    yield from running_host(learner, clock, tmp_path / "takes", None)


def test_a_file_given_to_the_page_is_learned_and_appears_on_its_map(
    browser: Any, learning_host: Any, learner: Synth, tmp_path: Path
) -> None:
    names = "return document.querySelector('cm-map')?.timbres.map((timbre) => timbre.name) ?? []"
    browser.get(learning_host.address.url)
    wait_for(lambda: browser.execute_script(names), 40)
    element(browser, "cm-drop input").send_keys(str(written(tmp_path / "squeak.wav", thud())))
    wait_for(lambda: browser.execute_script(names)[-1] == "squeak", 40)
    wait_for(lambda: element(browser, ".sound input").get_attribute("value") == "squeak", 10)
    assert learner.controls.timbre == {"squeak": 1.0}
    silent = written(tmp_path / "silent.wav", np.zeros(24_000, np.float32))
    element(browser, "cm-drop input").send_keys(str(silent))
    wait_for(lambda: browser.find_elements("css selector", ".q-notification.bg-warning"))
    wait_for(lambda: element(browser, "cm-drop").text == "drop or choose a sound to learn", 10)
