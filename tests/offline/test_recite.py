"""A text file read into a corpus: its contents, resuming, and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline import recite as module
from cmaudio.offline.recite import recite


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("One line | here.\n\nAnother 😀 line.\n", encoding="utf-8")
    return path


def test_every_line_in_every_variant(tiny_voice: Model, text: Path, tmp_path: Path) -> None:
    output = tmp_path / "corpus"
    unspoken = recite(text, output, model=tiny_voice, timbres=["first", "second"], rates=[1.0, 2.0], seeds=2)
    rows = (output / "metadata.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 16
    assert rows[0] == "000001-00|One line here.|One line here."
    assert set(unspoken) == {f"000003-{i:02d}" for i in range(8)}
    aligned = [json.loads(line) for line in (output / "phonemes.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in aligned:
        seconds = soundfile.info(output / "wavs" / f"{row['id']}.wav").duration
        assert row["phonemes"][0] == ""
        assert sum(phoneme.startswith(" ") for phoneme in row["phonemes"]) == {"000001": 3, "000003": 2}[row["id"][:6]]
        assert row["ends"] == sorted(row["ends"])
        assert row["ends"][-1] == pytest.approx(seconds, abs=1e-3)


def test_interrupted_run_is_resumed(
    tiny_voice: Model, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = module._make

    def break_after_two(model: tuple[str, str], output: Path, line: module.Line) -> None:
        if len(made) == 2:
            raise KeyboardInterrupt
        make(model, output, line)
        made.append(line.name)

    monkeypatch.setattr(module, "_make", break_after_two)
    with pytest.raises(KeyboardInterrupt):
        recite(text, tmp_path / "corpus", model=tiny_voice, seeds=2)
    assert not (tmp_path / "corpus" / "metadata.csv").exists()

    def go_on(model: tuple[str, str], output: Path, line: module.Line) -> None:
        make(model, output, line)
        made.append(line.name)

    monkeypatch.setattr(module, "_make", go_on)
    told: list[tuple[int, int]] = []
    recite(
        text, tmp_path / "corpus", model=tiny_voice, seeds=2, on_progress=lambda done, total: told.append((done, total))
    )
    assert made == ["000001-00", "000001-01", "000003-00", "000003-01"]
    assert told[0] == (2, 4)
    with pytest.raises(CmaudioError, match=r"begun with other settings .*variants"):
        recite(text, tmp_path / "corpus", model=tiny_voice, seeds=3)


def test_recite_refuses_unusable_input(tiny_voice: Model, text: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n \n")
    with pytest.raises(CmaudioError, match="it contains nothing to say"):
        recite(empty, tmp_path / "a", model=tiny_voice)
    with pytest.raises(CmaudioError, match=r"text .* cannot be read"):
        recite(tmp_path / "none.txt", tmp_path / "a", model=tiny_voice)
    with pytest.raises(CmaudioError, match="unknown timbre 'nobody'"):
        recite(text, tmp_path / "a", model=tiny_voice, timbres=["nobody"])
    with pytest.raises(CmaudioError, match="rate must be"):
        recite(text, tmp_path / "a", model=tiny_voice, rates=[9])
    with pytest.raises(CmaudioError, match="is not empty and holds no corpus"):
        recite(text, tmp_path, model=tiny_voice)
