"""Names that no file can have, and names that are no text, in every call that takes a file: one clear error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.fake_card import FakeCard

import cmaudio
from cmaudio.cli.terminal import PlainConsole, to_json
from cmaudio.errors import CmaudioError
from cmaudio.files import folders
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.files.resume_manifest import start_or_resume
from cmaudio.instrument.preset_files import preset_files
from cmaudio.midi.bindings import Bindings
from cmaudio.model.file import Model
from cmaudio.offline.recite import recite
from cmaudio.osc.folder import SoundFolder
from cmaudio.panel.takes import Takes
from cmaudio.score.midi_file import write_midi
from cmaudio.score.midi_writer import encode_score
from cmaudio.score.pieces import builtin_piece
from cmaudio.speech.pronunciations import read_dictionary
from cmaudio.synth import Synth

NAMES = ["x" * 300, "ж" * 150, "a\0b", "~nobody-of-this-name/a"]
NOT_UTF8 = os.fsdecode(b"caf\xe9")
needs_bytes = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are text on this system")


def write_sound(path: Path) -> None:
    with AudioFileWriter(path, 16_000) as file:
        file.write(np.zeros(10, np.float32))


CALLS: dict[str, Callable[[Path], Any]] = {
    "model": cmaudio.load_model,
    "preset": cmaudio.load_preset,
    "preset written": lambda path: cmaudio.save_preset(
        cmaudio.load_preset("felt-and-bells"), path.with_suffix(".json")
    ),
    "MIDI file": cmaudio.read_midi,
    "MIDI file written": lambda path: write_midi(path, builtin_piece()),
    "sound file": lambda path: write_sound(path.with_suffix(".wav")),
    "dictionary": read_dictionary,
    "text": lambda path: recite(path, Path("out")),
    "corpus": lambda path: start_or_resume(path / ("y" * 300), {}, ("a",)),
    "MIDI bindings": Bindings.load,
    "folder for OSC": SoundFolder,
}


@pytest.mark.parametrize("name", NAMES, ids=["300 letters", "300 bytes", "NUL", "no home"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_name_that_no_file_can_have_is_one_clear_error(
    call: Callable[[Path], Any], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CmaudioError):
        call(Path(name))


@pytest.fixture
def synth(model: Model) -> Iterator[Synth]:
    with cmaudio.open(model, open_stream=FakeCard(runs=True)) as playing:
        yield playing


@pytest.mark.parametrize("name", NAMES, ids=["300 letters", "300 bytes", "NUL", "no home"])
def test_takes_and_presets_of_such_names_are_refused(synth: Synth, name: str, tmp_path: Path) -> None:
    path = Path(name) if name.startswith("~") else tmp_path / name
    for call in (
        lambda: synth.record(path.with_suffix(".wav")),
        lambda: synth.record(path.with_suffix(".flac")),
        lambda: synth.apply(name),
        lambda: Takes(synth, path / "takes") if name[0] != "~" else synth.record(path),
    ):
        with pytest.raises(CmaudioError):
            call()
    with pytest.raises(CmaudioError):
        SoundFolder(tmp_path).new_file(f"{name}.wav" if name[0] != "~" else "../a.wav")
    assert not list(tmp_path.iterdir())


@needs_bytes
def test_names_that_are_no_utf8_are_printed_and_put_into_files(tmp_path: Path) -> None:
    with (tmp_path / "printed").open("w", encoding="utf-8") as out:
        PlainConsole(file=out).print(NOT_UTF8)
        print(to_json({"file": NOT_UTF8}), file=out)
    assert "caf\N{REPLACEMENT CHARACTER}" in (tmp_path / "printed").read_text()
    write_midi(tmp_path / f"{NOT_UTF8}.mid", builtin_piece())
    score = cmaudio.read_midi(tmp_path / f"{NOT_UTF8}.mid")
    assert score.name == NOT_UTF8
    assert b"caf?" in encode_score(score)


@needs_bytes
def test_folders_of_presets_and_takes_may_hold_names_that_are_no_utf8(
    synth: Synth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "user_folder", lambda: tmp_path)
    (tmp_path / "presets").mkdir()
    cmaudio.save_preset(synth.as_preset("mine"), tmp_path / "presets" / f"{NOT_UTF8}.json")
    assert preset_files()["caf?"].stem == NOT_UTF8
    with pytest.raises(CmaudioError, match=r"caf\?"):
        cmaudio.load_preset("caf")
    write_sound(tmp_path / f"{NOT_UTF8}.wav")
    write_sound(tmp_path / "a.wav")
    assert [file["name"] for file in Takes(synth, tmp_path).files()] == ["a.wav"]
