"""The folder of sound files, whatever happens to it meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.files.names import unused_path
from cmaudio.panel.takes import Takes
from cmaudio.synth import Synth


def write(path: Path, seconds: float = 0.5, age: int = 0) -> None:
    soundfile.write(path, np.zeros(round(16_000 * seconds)), 16_000)
    os.utime(path, ns=(10**18 - age, 10**18 - age))


def listed(takes: Takes) -> list[str]:
    return [file["name"] for file in takes.files()]


def test_sound_files_are_listed_latest_first(synth: Synth, tmp_path: Path) -> None:
    write(tmp_path / "old.wav", age=5)
    write(tmp_path / "new.FLAC", seconds=1.5)
    (tmp_path / "notes.txt").write_text("no sound")
    (tmp_path / "broken.wav").write_bytes(b"no sound either")
    os.utime(tmp_path / "broken.wav", ns=(0, 0))
    assert Takes(synth, tmp_path).files() == [
        {"name": "new.FLAC", "seconds": 1.5},
        {"name": "old.wav", "seconds": 0.5},
        {"name": "broken.wav", "seconds": 0.0},
    ]


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "dangling.wav").symlink_to(folder / "nowhere.wav"),
        lambda folder: (folder / "itself.wav").symlink_to(folder / "itself.wav"),
        lambda folder: (folder / "outside.wav").symlink_to("/etc/passwd"),
        lambda folder: (folder / "directory.wav").mkdir(),
    ],
    ids=["dangling link", "link to itself", "link to another file", "directory"],
)
def test_links_and_directories_are_left_out_and_new_takes_are_still_listed(
    synth: Synth, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    takes = Takes(synth, tmp_path)
    write(tmp_path / "first.wav", age=1)
    harm(tmp_path)
    assert listed(takes) == ["first.wav"]
    write(tmp_path / "second.wav")
    assert listed(takes) == ["second.wav", "first.wav"]


def test_a_take_that_vanishes_while_it_is_listed_is_left_out(
    synth: Synth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = Takes(synth, tmp_path)
    for name in ("first.wav", "second.wav"):
        write(tmp_path / name)
    entries = list(tmp_path.iterdir())
    (tmp_path / "first.wav").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", lambda folder: iter(entries))  # as read just before
        assert listed(takes) == ["second.wav"]
    write(tmp_path / "third.wav")
    assert set(listed(takes)) == {"second.wav", "third.wav"}


def test_a_folder_that_vanishes_lists_nothing(synth: Synth, tmp_path: Path) -> None:
    takes = Takes(synth, tmp_path / "takes")
    write(tmp_path / "takes/take.wav")
    assert listed(takes) == ["take.wav"]
    (tmp_path / "takes").rename(tmp_path / "elsewhere")
    assert listed(takes) == []


def test_a_folder_that_cannot_be_created_is_named(synth: Synth, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CmaudioError, match=r"file cannot be created.*--files"):
        Takes(synth, tmp_path / "file")


def test_a_free_path_evades_sounds_and_their_midi_files(tmp_path: Path) -> None:
    (tmp_path / "take.wav").touch()
    (tmp_path / "take-2.mid").touch()
    assert unused_path(tmp_path / "take.wav", ".mid").name == "take-3.wav"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def two(synth: Synth, tmp_path: Path) -> Takes:
    """Two takes, one with its notes."""
    for name in ("a.wav", "b.wav"):
        write(tmp_path / name)
    (tmp_path / "a.mid").touch()
    return Takes(synth, tmp_path)


def test_a_take_is_deleted_with_its_notes(two: Takes) -> None:
    two.delete("a.wav")
    assert names(two.folder) == ["b.wav"]
    assert listed(two) == ["b.wav"]


@pytest.mark.parametrize("wanted", ["Warm pad (2)", "Warm pad (2).wav", " Warm pad (2) "])
def test_a_take_is_renamed_with_its_notes(wanted: str, two: Takes) -> None:
    two.rename("a.wav", wanted)
    assert names(two.folder) == ["Warm pad (2).mid", "Warm pad (2).wav", "b.wav"]


@pytest.mark.parametrize("wanted", ["b", "", "../c", "c/d", ".hidden", "\0", "x" * 300])
def test_other_names_are_refused_and_change_nothing(wanted: str, two: Takes) -> None:
    with pytest.raises(CmaudioError):
        two.rename("a.wav", wanted)
    assert names(two.folder) == ["a.mid", "a.wav", "b.wav"]


@pytest.mark.parametrize("name", ["../a.wav", "c.wav", "a.mid", ""])
def test_only_what_is_listed_is_deleted(name: str, two: Takes) -> None:
    with pytest.raises(CmaudioError, match="there is no sound file"):
        two.delete(name)
    assert names(two.folder) == ["a.mid", "a.wav", "b.wav"]
