"""`cmaudio scatter`: a file of scattered sounds, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import TinyModel
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError


def scattered(tiny: TinyModel, path: Path, *arguments: str) -> np.ndarray:
    words = ["scatter", "second", "third", "-o", str(path), "--model", str(tiny.model.path), "--seconds", "1"]
    result = CliRunner().invoke(app, [*words, "--density", "20", *arguments])
    assert result.exit_code == 0, result.output
    return np.asarray(soundfile.read(path, dtype="float32")[0])


def test_the_same_seed_gives_the_same_file(tiny: TinyModel, tmp_path: Path) -> None:
    first = scattered(tiny, tmp_path / "a.wav", "--seed", "3")
    np.testing.assert_array_equal(scattered(tiny, tmp_path / "b.wav", "--seed", "3"), first)
    other = scattered(
        tiny, tmp_path / "c.wav", "--seed", "4", "--grid", "0.25", "--pan", "0", "--distance", "0", "--set", "pan=-1"
    )
    assert len(other) >= 16_000
    assert not other[:, 1].any(), "controls are those of `--set`"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "unknown timbre 'nothing'"),
        (["rain", "--set", "warmth=1"], "no control 'warmth'"),
        (["rain", "--tempo", "0"], "tempo must be a number from 10 to 400|beats must be a number"),
        (["rain", "--model", "english"], "is a text-to-speech voice and cannot scatter sounds"),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], told: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["scatter", *arguments, "-o", str(tmp_path / "out.wav")])
    assert isinstance(result.exception, CmaudioError)
    with pytest.raises(CmaudioError, match=told):
        raise result.exception
    assert not (tmp_path / "out.wav").exists()
