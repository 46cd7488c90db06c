"""Every file that a user gives or a folder holds: whatever is in its place is one clear error."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

for package in ("torch", "lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)

import cmaudio
from cmaudio.errors import CmaudioError
from cmaudio.files.resume_manifest import start_or_resume
from cmaudio.midi.bindings import Bindings
from cmaudio.offline.recite import recite
from cmaudio.speech.pronunciations import read_dictionary
from cmaudio.training.config import read_config
from cmaudio.training.corpus.description import read_description
from cmaudio.training.prepare.spoken import read_given
from cmaudio.training.prepare.utterances import find_utterances
from cmaudio.training.run.alignment import read_alignment
from cmaudio.training.run.folder import read_about

READERS: dict[str, Callable[[Path], Any]] = {
    "configuration.yaml": lambda folder: read_config(folder / "configuration.yaml"),
    "preset.json": lambda folder: cmaudio.load_preset(folder / "preset.json"),
    "bindings.json": lambda folder: Bindings.load(folder / "bindings.json"),
    "dictionary.txt": lambda folder: read_dictionary(folder / "dictionary.txt"),
    "text.txt": lambda folder: recite(folder / "text.txt", folder / "out"),
    "phonemes.jsonl": read_given,
    "metadata.csv": lambda folder: find_utterances(folder, "ljspeech"),
    "plan.json": lambda folder: start_or_resume(folder, {}, ()),
    "corpus.json": read_description,
    "run.json": read_about,
    "alignment.jsonl.gz": lambda folder: read_alignment(folder / "alignment.jsonl.gz"),
    "model.cmaudio": lambda folder: cmaudio.load_model(folder / "model.cmaudio"),
    "song.mid": lambda folder: cmaudio.read_midi(folder / "song.mid"),
}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nested(path: Path) -> None:
    path.write_text("[" * 50_000)


def list_of_lists(path: Path) -> None:
    path.write_text("[[1]]\n")


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\x1f\x8b\x08\x00")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("put", [pipe, endless, nested, list_of_lists, no_text, Path.mkdir])
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_such_file_is_named(name: str, put: Callable[[Path], object], tmp_path: Path) -> None:
    put(tmp_path / name)
    takes_any_text = name == "text.txt" and put in (nested, list_of_lists)
    if not takes_any_text:
        with pytest.raises(CmaudioError):
            READERS[name](tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1'])
@pytest.mark.parametrize("name", [name for name in READERS if name.endswith(".json")])
def test_damaged_json_is_named(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CmaudioError, match=name.replace(".", r"\.")):
        READERS[name](tmp_path)
