"""Favourites and read hints: kept in a file, by model and folder, also when files are renamed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.browser import wait_for
from fixtures.impulse_responses import write_clap
from fixtures.panel import Pages

from cmaudio.errors import CmaudioError
from cmaudio.panel import choices
from cmaudio.panel.choices import Choices
from cmaudio.synth import Synth


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where choices are kept."""
    monkeypatch.setattr(choices, "choices_file", lambda: tmp_path / "kept" / "panel.json")
    return tmp_path / "kept" / "panel.json"


@pytest.mark.parametrize("kind", ["timbre", "preset", "file"])
def test_favourites_are_there_again(pages: Pages, kind: str, tmp_path: Path) -> None:
    pages.send("favourite", what=kind, name="one", on=True)
    pages.send("favourite", what=kind, name="two", on=True)
    pages.send("favourite", what=kind, name="two", on=True)
    pages.send("favourite", what=kind, name="one", on=False)
    assert pages.quiet
    here = pages.handler.takes.folder
    for model, folder in (("tiny", here), ("other", here), ("tiny", tmp_path / "elsewhere")):
        again = Choices(model, folder, pytest.fail).favourites()[kind]
        shared = folder == here if kind == "file" else model == "tiny"
        assert again == (["two"] if shared else [])


def test_two_panels_do_not_forget_each_others_favourites(tmp_path: Path) -> None:
    one, other = (Choices("tiny", tmp_path, pytest.fail) for _ in range(2))
    one.mark("timbre", "flute", True)
    other.mark("timbre", "violin", True)
    assert Choices("tiny", tmp_path, pytest.fail).favourites()["timbre"] == ["flute", "violin"]


def test_a_favourite_file_stays_one_when_it_is_renamed_and_is_forgotten_when_deleted(pages: Pages) -> None:
    write_clap(pages.handler.takes.folder / "door.wav")
    pages.send("favourite", what="file", name="door.wav", on=True)
    pages.send("rename", file="door.wav", name="gate")
    assert pages.handler.choices.favourites()["file"] == ["gate.wav"]
    pages.send("delete", file="gate.wav")
    assert pages.handler.choices.favourites()["file"] == []
    assert pages.quiet


def test_hints_that_were_read_stay_away(pages: Pages) -> None:
    assert not pages.handler.choices.hints_read
    pages.send("read")
    assert Choices("another", pages.handler.takes.folder, pytest.fail).hints_read


@pytest.mark.parametrize(
    "text", ["{", json.dumps({"version": 2}), json.dumps({"version": 1, "timbre": {"tiny": 3}})], ids=str
)
def test_a_damaged_file_is_told_and_set_aside(text: str, file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    file.write_text(text)
    told: list[str] = []
    found = Choices("tiny", tmp_path, told.append)
    assert "set aside as" in told[0]
    assert found.favourites() == {"timbre": [], "preset": [], "file": []}
    assert file.with_suffix(".damaged.json").read_text() == text


def test_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "_MOST", 2)
    found = Choices("tiny", tmp_path, pytest.fail)
    found.mark("preset", "one", True)
    found.mark("preset", "two", True)
    with pytest.raises(CmaudioError, match="unmark some"):
        found.mark("preset", "three", True)


def test_a_neighbour_is_a_named_timbre_nearby(pages: Pages, synth: Synth) -> None:
    pages.send("timbre", name="second")
    here = synth.controls["timbre_x"], synth.controls["timbre_y"]
    near = synth.controls.timbre_map.near(*here, 6)
    assert "second" not in near
    pages.send("neighbour")
    assert list(synth.controls.timbre or {}) in [[name] for name in near]
    assert pages.handler.follow_history()["undo"] == "timbre"
    assert pages.quiet


def test_a_model_without_an_example_says_so(pages: Pages) -> None:
    pages.send("example")
    assert "no example" in pages.refusal()


def test_variations_follow_renamed_and_deleted_files(pages: Pages, synth: Synth) -> None:
    pages.send("vary", what="seeds", count=2, seconds=0.2)
    runner = pages.handler.variations
    wait_for(lambda: not runner.status["running"], 60)
    first, second = (row["name"] for row in runner.status["files"])
    pages.send("rename", file=first, name="door")
    pages.send("delete", file=second)
    assert [(row["name"], row["label"]) for row in runner.status["files"]] == [("door.wav", "door")]
    assert pages.quiet
