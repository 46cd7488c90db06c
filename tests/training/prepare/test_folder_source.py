"""A folder of sound files as clips."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from fixtures.sound_folder import TINY
from fixtures.speech_corpora import write_tone

from cmaudio.errors import CmaudioError
from cmaudio.training.corpus.description import read_description
from cmaudio.training.prepare.folder import FolderSource
from cmaudio.training.prepare.summary import draw_summary
from cmaudio.training.prepare.writer import write_corpus


def test_the_report_lists_the_outcome_of_every_file(sounds: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    description, outcomes = write_corpus(corpus, FolderSource(sounds, piece_seconds=2), TINY)
    report = json.loads((corpus / "report.json").read_text())
    refused = {row["item"]: row["reason"] for row in report["train"]["not_used"]}
    assert set(refused) == {
        f"bad/{n}" for n in ("click.wav", "damaged.wav", "empty.wav", "nan.wav", "notes.txt", "silent.wav")
    }
    assert "20 ms" in refused["bad/click.wav"]
    assert "silent" in refused["bad/silent.wav"]
    assert "not finite" in refused["bad/nan.wav"]
    used = {row["item"] for row in report["train"]["used"]}
    names = {path.relative_to(sounds).as_posix() for path in sounds.rglob("*") if path.is_file()}
    assert {name.partition(" @")[0] for name in used} | set(refused) == names
    timbres = {timbre.name: timbre for timbre in description.timbres}
    assert set(timbres) == {"low", "high", "hiss"}
    assert timbres["hiss"].sustained
    assert not timbres["hiss"].pitched
    assert timbres["low"].pitched
    assert read_description(corpus) == description
    draw_summary(corpus, description, outcomes)
    assert (corpus / "summary.png").stat().st_size > 10_000


def test_folders_without_usable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(CmaudioError, match="is empty"):
        write_corpus(tmp_path / "corpus", FolderSource(tmp_path / "none"), TINY)
    (tmp_path / "none" / "a.txt").write_text("a")
    with pytest.raises(CmaudioError, match=r"nothing to train on.*1 x not a sound file.*report\.json"):
        write_corpus(tmp_path / "corpus", FolderSource(tmp_path / "none"), TINY)
    assert json.loads((tmp_path / "corpus" / "report.json").read_text())["not_used"] == 1
    with pytest.raises(CmaudioError, match="no folder"):
        FolderSource(tmp_path / "missing")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are text on this system")
def test_a_file_whose_name_is_not_utf8_is_left_out_by_name(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for name in ("a.wav", os.fsdecode(b"b\xff.wav"), os.fsdecode(b"b\xfe.wav"), "c\nd.wav", "c\rd.wav"):
        write_tone(tmp_path / "tone.wav", 200)
        (tmp_path / "tone.wav").replace(folder / name)
    write_corpus(tmp_path / "corpus", FolderSource(folder, labels="none"), TINY)
    report = json.loads((tmp_path / "corpus" / "report.json").read_text())
    refused = {row["item"]: row["reason"] for row in report["train"]["not_used"]}
    assert refused == dict.fromkeys(("b\udcff.wav", "b\udcfe.wav"), "its name is not UTF-8: rename the file")
    used = {row["clip"].removesuffix(" let go") for row in report["train"]["used"]}
    assert used == {"a.wav", "c<a>d.wav", "c<d>d.wav"}
    assert read_description(tmp_path / "corpus").name == "caf?"


def test_held_out_files_leave_every_label_something_to_train_on(tmp_path: Path) -> None:
    for i in range(24):
        (tmp_path / f"kick{i}.wav").touch()
    (tmp_path / "gong.wav").touch()
    source = FolderSource(tmp_path, labels="name", held_out=0.9)
    items = source.items()
    assert {item.path for item in items["train"]} >= {"gong.wav"}
    assert {source._label(item.path) for item in items["train"]} == {"kick", "gong"}
    assert len(items["held_out"]) == 22
    assert not {item.path for item in items["train"]} & {item.path for item in items["held_out"]}
