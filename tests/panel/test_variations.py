"""Variations: places around the current one, the phrase they play, and their renderer."""

from __future__ import annotations

import csv
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fixtures.browser import wait_for
from fixtures.panel import Pages

from cmaudio.panel.commands import RenderVariations
from cmaudio.panel.variations.job import around, make_job
from cmaudio.panel.variations.phrase import PhraseNote, played_notes
from cmaudio.panel.variations.render import render_job
from cmaudio.panel.variations.table import COLUMNS, TABLE, add_row
from cmaudio.score.events import Event, NoteOff, NoteOn
from cmaudio.signal.loudness import loudness_lufs
from cmaudio.synth import Synth


def test_places_are_spread_evenly_around_the_centre() -> None:
    places = np.array(around((0.5, 0.0), 0.2, 16))
    assert tuple(places[0]) == (0.5, 0.0)
    distance = np.hypot(*(places - (0.5, 0.0)).T)
    assert distance.max() == pytest.approx(0.2)
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + 10 * np.eye(16)
    assert apart.min() > 0.04


def test_places_stay_on_the_map() -> None:
    assert np.abs(around((1.0, 1.0), 1.0, 9)).max() <= 1


def test_what_was_played_becomes_a_phrase() -> None:
    played: list[tuple[float, Event]] = [
        (1.0, NoteOn(0, 60, 90, 0)),
        (1.5, NoteOn(0, 64, 80, 0)),
        (2.0, NoteOff(0, 60)),
        (2.1, NoteOff(0, 50)),
    ]
    assert played_notes(played, 3.0) == [PhraseNote(0.0, 60, 90, 1.0), PhraseNote(0.5, 64, 80, 1.5)]
    assert played_notes([], 3.0) == []


def test_what_was_played_cannot_be_varied_before_anything_was(pages: Pages) -> None:
    pages.send("vary", what="seeds", count=2, phrase="played")
    assert "play something first" in pages.refusal()


def test_cancelled_variations_leave_no_incomplete_file(pages: Pages) -> None:
    variations = pages.handler.variations
    pages.send("vary", what="places", count=64, phrase="note", seconds=20.0)
    wait_for(lambda: variations.status["part"] > 0)
    pages.send("vary", what="seeds", count=2)
    assert "cancel" in pages.refusal()
    pages.send("cancel")
    wait_for(lambda: not variations.status["running"])
    assert variations.status["done"] < 64
    folder = pages.handler.takes.folder
    assert not [*folder.glob("*.part"), *folder.glob(".*.part")]
    assert variations.status["error"] == ""


def rendered(synth: Synth, folder: Path, **settings: Any) -> list[dict[str, str]]:
    """The rows of the table after some variations were rendered."""
    command = RenderVariations(kind="vary", what="seeds", seconds=0.5, **({"count": 2} | settings))
    render_job(make_job(command, synth.controls, synth.recorder, folder), threading.Event())
    return table(folder)


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_files_are_named_by_class_take_and_seed_and_described(synth: Synth, tmp_path: Path) -> None:
    synth.controls.set_timbre({"second": 0.7, "third": 0.3})
    rows = rendered(synth, tmp_path)
    assert [row["class"] for row in rows] == ["second", "second"]
    for take, row in enumerate(rows, 1):
        assert row["file"] == f"second_{take:02d}_{row['seed']}.wav"
        samples, rate = soundfile.read(tmp_path / row["file"], dtype="float32")
        assert float(row["seconds"]) == pytest.approx(len(samples) / rate, abs=0.01)
        assert float(row["peak_db"]) == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.1)
        assert row["mix"] == "second 0.7, third 0.3"
    synth.controls.set_timbre("third")
    rows = rendered(synth, tmp_path, count=1)
    assert re.fullmatch(r"third_01_\d+\.wav", rows[2]["file"])
    synth.controls.set_timbre("second")
    assert [row["take"] for row in rendered(synth, tmp_path, count=1)] == ["1", "2", "1", "3"], "takes are counted on"


@pytest.mark.parametrize("lufs", [-40.0, -30.0])
def test_files_are_as_loud_as_asked_for(synth: Synth, tmp_path: Path, lufs: float) -> None:
    for row in rendered(synth, tmp_path, loudness=lufs):
        samples, rate = soundfile.read(tmp_path / row["file"], dtype="float32")
        assert loudness_lufs(samples, rate) == pytest.approx(lufs, abs=0.1)
        assert float(row["loudness_lufs"]) == pytest.approx(lufs, abs=0.1)


def test_no_peak_is_higher_for_the_sake_of_loudness(synth: Synth, tmp_path: Path) -> None:
    for row in rendered(synth, tmp_path, loudness=-6.0):
        assert float(row["peak_db"]) <= -0.9


@pytest.mark.parametrize("loudness", [-61, 0, "loud"])
def test_a_loudness_that_is_none_is_refused(pages: Pages, loudness: object) -> None:
    pages.send("vary", what="seeds", count=1, loudness=loudness)
    assert "loudness" in pages.refusal()


@pytest.mark.parametrize("before", ["", "file,other\na.wav,1\n", "\0\0", "\udcff"])
def test_another_table_of_that_name_is_begun_again(tmp_path: Path, before: str) -> None:
    (tmp_path / TABLE).write_bytes(before.encode("utf-8", "surrogateescape"))
    row = dict.fromkeys(COLUMNS, "x")
    add_row(tmp_path, row)
    add_row(tmp_path, row | {"file": "y"})
    add_row(tmp_path, row | {"seed": "z"})
    assert [(each["file"], each["seed"]) for each in table(tmp_path)] == [("y", "x"), ("x", "z")]
