"""One file for each part, which add up to the mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline.render import render
from cmaudio.score.events import Event, Expression, NoteOff, NoteOn, Score

_EVENTS: list[tuple[float, Event]] = [
    (0.0, Expression(0, "pan", -0.6)),
    (0.0, NoteOn(0, 60, 90, 73)),
    (0.3, NoteOn(2, 48, 80, 0)),
    (0.35, NoteOn(9, 42, 80, 0)),
    (0.4, NoteOff(0, 60)),
    (0.5, NoteOff(9, 42)),
    (0.6, NoteOff(2, 48)),
]
PIECE = Score("two parts and a hi-hat", _EVENTS, 0.6, [73, 0], [42])


def test_the_parts_add_up_to_the_mix(model: Model, tmp_path: Path) -> None:
    mix = render(PIECE, tmp_path / "mix.wav", model=model, stems=tmp_path / "stems", tail=0.3)
    files = sorted((tmp_path / "stems").iterdir())
    assert [file.name for file in files] == ["01-flute.wav", "03-acoustic-grand-piano.wav", "10-drums.wav"]
    parts = [soundfile.read(file, dtype="float32")[0] for file in files]
    assert all(part.shape == mix.shape for part in parts)
    np.testing.assert_allclose(sum(parts), np.asarray(mix), atol=1e-6)
    assert soundfile.info(tmp_path / "mix.wav").channels == 2
    assert not parts[2][: round(0.3 * mix.sample_rate)].any()


def test_a_folder_with_sounds_is_refused(model: Model, tmp_path: Path) -> None:
    (tmp_path / "old.wav").touch()
    with pytest.raises(CmaudioError, match=r"old\.wav"):
        render(PIECE, model=model, stems=tmp_path)


def test_one_channel_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="channels=2"):
        render(PIECE, model=model, stems=tmp_path / "stems", channels=1)
    assert not (tmp_path / "stems").exists()
