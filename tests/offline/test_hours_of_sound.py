"""Sound that outgrows a WAV file or the memory: speech continues in another file, pieces are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.files import audio_file
from cmaudio.model.file import Model
from cmaudio.offline.pattern import render_pattern
from cmaudio.offline.recite import recite
from cmaudio.offline.render import render
from cmaudio.offline.speak import speak
from cmaudio.score.events import NoteOff, NoteOn, Score

LONG = Score("long", [(0.0, NoteOn(0, 60, 90, 73)), (0.2, NoteOff(0, 60))], 2.0, [73], [])


def test_speech_continues_in_another_file(tiny_voice: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = speak("One. Two. Three.", model=tiny_voice)
    monkeypatch.setattr(audio_file, "_WAV_LIMIT_BYTES", len(whole.audio))
    told = list[str]()
    spoken = speak("One. Two. Three.", tmp_path / "a.wav", model=tiny_voice, keep_samples=False, on_notice=told.append)
    assert len(spoken.audio) == 0
    assert spoken.marks == whole.marks
    assert [text.rpartition(" ")[2] for text in told] == ["a-2.wav", "a-3.wav", "a-4.wav"][: len(told)]
    parts = [soundfile.read(tmp_path / name)[0] for name in ("a.wav", *(text.rpartition(" ")[2] for text in told))]
    assert len(parts) > 2
    np.testing.assert_allclose(np.concatenate(parts), np.asarray(whole.audio), atol=1e-6)


REFUSED: list[tuple[str, Callable[[Model, Path], object], str]] = [
    ("piece", lambda m, p: render(LONG, p / "a.wav", model=m, tail=1), r"a\.wav: .*4 GiB.*\.flac"),
    ("tail", lambda m, p: render(LONG, p / "a.wav", model=m, tail=600), r"a\.wav: .*4 GiB.*\.flac"),
    ("stems", lambda m, p: render(LONG, p / "a.flac", model=m, stems=p / "s"), r"stems are WAV files .* hours"),
    ("stems alone", lambda m, p: render(LONG, model=m, stems=p / "s"), r"stems are WAV files .* hours"),
    ("pattern", lambda m, p: render_pattern([60], 8, p / "a.wav", model=m), r"a\.wav: .*4 GiB.*\.flac"),
]


@pytest.mark.parametrize(("call", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_piece_that_will_not_fit_is_refused_before_the_work(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[Model, Path], object], words: str
) -> None:
    def work(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(audio_file, "_WAV_LIMIT_BYTES", 100_000)
    monkeypatch.setattr("cmaudio.offline.render.render_blocks", work)
    with pytest.raises(CmaudioError, match=words):
        call(model, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_piece_may_be_rendered_to_a_file_alone(model: Model, tmp_path: Path) -> None:
    whole = render(LONG, model=model, tail=0)
    assert len(render(LONG, tmp_path / "a.wav", model=model, tail=0, keep_samples=False)) == 0
    np.testing.assert_allclose(soundfile.read(tmp_path / "a.wav")[0], np.asarray(whole), atol=1e-6)


def test_a_line_of_hours_is_refused(tiny_voice: Model, tmp_path: Path) -> None:
    text = tmp_path / "lines.txt"
    text.write_text("Short.\n" + "word " * 5000)
    with pytest.raises(CmaudioError, match="line 2 has 24999 characters, and 20000 are allowed"):
        recite(text, tmp_path / "corpus", model=tiny_voice)
    assert not (tmp_path / "corpus").exists()
