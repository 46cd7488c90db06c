"""Partials written into a model file after training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")

from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model
from cmaudio.model.partials import LowerBase, Partials
from cmaudio.training.corpus.description import read_description, write_description
from cmaudio.training.export.measured import amend, amend_from, read_measured

ORGAN: dict[str, Partials] = {"second": LowerBase(divisor=2)}


def test_an_amended_file_differs_in_its_partials_alone(tiny: Any, tmp_path: Path) -> None:
    amended = amend(tiny.model, tmp_path / "amended.cmaudio", "partials", ORGAN)
    assert amended.manifest.sha256 == tiny.model.manifest.sha256
    assert amended.manifest.picture == "harmonic"
    assert read_measured(amended.path, "partials") == ORGAN
    again = amend(amended, tmp_path / "again.cmaudio", "partials", {})
    assert again.manifest == load_model(tiny.model.path).manifest


def test_partials_are_read_from_a_corpus(corpus: Path, tmp_path: Path) -> None:
    assert read_measured(corpus, "partials") == {}
    description = read_description(corpus)
    timbres = [t.model_copy(update={"partials": LowerBase(divisor=4)}) for t in description.timbres]
    write_description(tmp_path, description.model_copy(update={"timbres": timbres}))
    assert read_measured(tmp_path, "partials") == {timbre.name: LowerBase(divisor=4) for timbre in timbres}
    assert read_description(tmp_path).picture == "partials"


@pytest.mark.parametrize("name", ["none.cmaudio", "none"])
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CmaudioError):
        read_measured(tmp_path / name, "partials")


def test_a_model_file_takes_the_partials_of_another(tiny: Any, tmp_path: Path) -> None:
    organ = amend(tiny.model, tmp_path / "organ.cmaudio", "partials", ORGAN)
    assert amend_from(tiny.model, tmp_path / "new.cmaudio", "partials", organ.path).manifest == organ.manifest
    with pytest.raises(CmaudioError, match="no partials for any timbre"):
        amend_from(organ, tmp_path / "none.cmaudio", "partials", tiny.model.path)


@pytest.mark.parametrize("more", [[], ["--weights", "int8"], ["--network", "teacher"]])
def test_the_command_amends_a_model_file_by_partials_alone(tiny: Any, tmp_path: Path, more: list[str]) -> None:
    organ = amend(tiny.model, tmp_path / "organ.cmaudio", "partials", ORGAN)
    command = ["export", str(tiny.model.path), "-o", str(tmp_path / "new.cmaudio")]
    done = CliRunner().invoke(app, [*command, "--partials", str(organ.path)])
    assert done.exit_code == 0, done.output
    assert read_measured(tmp_path / "new.cmaudio", "partials") == ORGAN
    refused = CliRunner().invoke(app, [*command, *more, *(["--partials", str(organ.path)] if more else [])])
    assert isinstance(refused.exception, CmaudioError)
