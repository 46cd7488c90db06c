"""The sound files on the page: takes apart from variations, outlines behind their names, and dragging them out."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import numpy as np
import pytest
import soundfile
from fixtures.browser import element, wait_for
from fixtures.panel import status

from cmaudio.panel.variations.names import is_variation, last_take, variation_name


@pytest.mark.parametrize(
    ("name", "variation"),
    [
        ("door-close_03_71825.wav", True),
        ("take-20261129-101500.wav", False),
        ("door_3_1.wav", False),
        ("x_03_1.flac", False),
    ],
)
def test_variations_are_told_by_their_names(name: str, variation: bool) -> None:
    assert is_variation(name) is variation


def test_takes_are_counted_by_the_sound(tmp_path: Any) -> None:
    for name in ("door_07_5.wav", "door_02_9.wav", "door-close_11_5.wav", "door_x.wav"):
        (tmp_path / name).touch()
    assert (last_take(tmp_path, "Door"), last_take(tmp_path, "door close"), last_take(tmp_path, "rain")) == (7, 11, 0)
    assert is_variation(variation_name("door close", 12, 5))


@pytest.fixture
def folder(host: Any) -> Any:
    """The folder of takes, with a sound that is loud in its second half."""
    found = host.handler.takes.folder
    soundfile.write(found / "late.wav", np.repeat([0.0, 0.5], 8000), 16_000)
    soundfile.write(found / "door_01_77.wav", np.zeros(800), 16_000)
    return found


def test_an_outline_is_of_the_peaks(folder: Any, host: Any) -> None:
    (folder / "broken.wav").write_bytes(b"no sound")
    address = f"http://127.0.0.1:{host.address.port}/outlines"
    peaks = json.loads(urllib.request.urlopen(f"{address}/late.wav").read())
    assert peaks == [0] * 32 + [50] * 32
    assert json.loads(urllib.request.urlopen(f"{address}/broken.wav").read()) == []
    assert status(host, "/outlines/none.wav") == 404
    assert status(host, "/outlines/..%2Foutside.wav") == 404


def test_variations_are_folded_away_from_takes(page: Any, folder: Any) -> None:
    def names(place: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.getAttribute('file'))"
        return list(page.execute_script(script, f"{place} > .files > .file cm-outline, {place} > .file cm-outline"))

    fold = 'details[data-fold="rendered"]'
    wait_for(lambda: "door_01_77.wav" in names(fold))
    assert "late.wav" not in names(fold)
    assert "late.wav" in names(".q-tab-panel")
    assert "door_01_77.wav" not in names(".q-tab-panel")
    wait_for(lambda: page.find_elements("css selector", 'cm-outline[file="late.wav"] path'))
    (folder / "door_01_77.wav").unlink()
    wait_for(lambda: not element(page, fold).is_displayed())


def test_a_file_is_dragged_out_as_a_file(page: Any, folder: Any, host: Any) -> None:
    wait_for(lambda: page.find_elements("css selector", 'cm-outline[file="late.wav"]'))
    dragged = page.execute_script("""
        const row = document.querySelector('cm-outline[file="late.wav"]').closest('.file');
        const dataTransfer = new DataTransfer();
        row.dispatchEvent(new DragEvent('dragstart', {bubbles: true, dataTransfer}));
        return [row.draggable, dataTransfer.getData('DownloadURL'), dataTransfer.getData('text/uri-list')];
    """)
    address = f"{host.address.url}files/late.wav"
    assert dragged == [True, f"audio/wav:late.wav:{address}", address]
