"""The card of a model file from before, written into it for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.model.card_data import read_card
from cmaudio.model.file import load_model
from cmaudio.model.saving import save_model


def test_a_file_without_its_card_for_programs_gets_it(tmp_path: Path) -> None:
    model = load_model("textures")
    graphs = {graph: model.graph(graph) for graph in model.manifest.graphs}
    old, new = tmp_path / "old.cmaudio", tmp_path / "new.cmaudio"
    save_model(old, model.manifest, graphs, model.card, fast=True)
    assert load_model(old).stored_data is None
    done = CliRunner().invoke(app, ["export", str(old), "--card", "-o", str(new)])
    assert done.exit_code == 0, done.output
    found = load_model(new)
    assert found.stored_data == read_card(model.card)
    assert found.stored_data.figures
    assert found.card == model.card
    assert {graph: found.graph(graph) for graph in graphs} == graphs
