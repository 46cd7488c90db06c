"""Deviations of pitch written into a model file after training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")

from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError
from cmaudio.model.deviation import PitchDeviation
from cmaudio.training.corpus.description import read_description, write_description
from cmaudio.training.export.measured import amend_from, read_measured

VIBRATO = PitchDeviation.model_validate({"keys": [{"key": 60, "vibrato_cents": 10.0, "vibrato_hz": 5.0}]})


@pytest.fixture
def measured(corpus: Path, tmp_path: Path) -> Path:
    """The description of a corpus whose only timbre is one of the tiny model's, with a vibrato."""
    description = read_description(corpus)
    timbre = description.timbres[0].model_copy(update={"name": "second", "deviation": VIBRATO})
    folder = tmp_path / "measured"
    folder.mkdir()
    write_description(folder, description.model_copy(update={"timbres": [timbre]}))
    return folder


def test_a_model_file_takes_the_deviations_of_a_corpus_and_of_another_file(
    tiny: Any, tmp_path: Path, measured: Path
) -> None:
    amended = amend_from(tiny.model, tmp_path / "amended.cmaudio", "deviation", measured)
    assert read_measured(amended.path, "deviation") == read_measured(measured, "deviation") == {"second": VIBRATO}
    assert amended.manifest.sha256 == tiny.model.manifest.sha256
    again = amend_from(tiny.model, tmp_path / "again.cmaudio", "deviation", amended.path)
    assert again.manifest == amended.manifest


def test_the_command_writes_them(tiny: Any, tmp_path: Path, measured: Path) -> None:
    output = tmp_path / "new.cmaudio"
    done = CliRunner().invoke(app, ["export", str(tiny.model.path), "-o", str(output), "--deviation", str(measured)])
    assert done.exit_code == 0, done.output
    assert read_measured(output, "deviation") == {"second": VIBRATO}


def test_sources_without_deviations_are_refused(tiny: Any, tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(CmaudioError, match="no deviation for any timbre"):
        amend_from(tiny.model, tmp_path / "none.cmaudio", "deviation", corpus)
    with pytest.raises(CmaudioError):
        read_measured(tmp_path / "none", "deviation")
