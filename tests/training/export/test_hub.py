"""The format of the Hugging Face hub, read by its own package; figures of a report in a model file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "onnx"):
    pytest.importorskip(package)
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model
from cmaudio.training.export.card import amend_figures
from cmaudio.training.export.hub import metadata, write_hub_folder

REPORT = {
    "date": "2026-11-29",
    "machine": {"cpu": "toy", "cores": 2},
    "sections": {"corpus": {"one step": {"wer": 0.05}}},
}


def run(*arguments: object) -> None:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception:
        raise result.exception


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(REPORT))
    return path


def test_the_hubs_own_parser_reads_the_card(tmp_path: Path, report: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    run("export", "english", "--figures", report, "--hub", tmp_path / "english-voice")
    card = hub.ModelCard.load(tmp_path / "english-voice" / "README.md")
    data = card.data
    assert (data.license, data.license_name[:10], data.language) == ("other", "Apache-2.0", ["en"])
    assert (data.library_name, data.pipeline_tag, data.datasets) == ("cmaudio", "text-to-speech", ["heart"])
    assert {"cmaudio", "speech", "audio"} <= set(data.tags)
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_name, result.metric_value) == ("wer", "corpus.one step.wer", 0.05)
    assert result.dataset_split == "held_out"
    assert "# english" in card.text
    assert "cmaudio say" in card.text


@pytest.mark.parametrize("name", ["instrument", "textures", "russian"])
def test_embedded_models_have_metadata_that_the_hub_accepts(name: str) -> None:
    hub = pytest.importorskip("huggingface_hub")
    import yaml

    head = yaml.safe_dump(metadata(load_model(name)))
    card = hub.ModelCard(f"---\n{head}---\n\nbody", ignore_metadata_errors=False)
    assert card.data.model_name == name
    assert card.data.eval_results


@pytest.mark.parametrize(
    ("licence", "identifier"),
    [
        ("MIT (weights; trained on x, MIT)", "mit"),
        ("CC-BY-SA-3.0", "cc-by-sa-3.0"),
        ("Apache-2.0; piano: CC0-1.0", "other"),
        ("BSD-like, (c) 2005", "other"),
    ],
)
def test_licences_are_the_hubs_identifiers_where_it_knows_them(licence: str, identifier: str) -> None:
    model = load_model("english")
    model.manifest = model.manifest.model_copy(update={"licence": licence})
    found = metadata(model)
    assert found["license"] == identifier
    assert found.get("license_name", licence) == licence


def test_a_run_is_written_as_a_folder_that_plays(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hub" / "toy"
    run("export", finished, "--hub", folder)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "toy.cmaudio"]
    model = load_model(folder)
    assert model.data.trained_on[0].name == "toy"
    assert model.data.parameters.keys() == {"consistency network", "vocoder"}
    written = write_hub_folder(model, folder)  # again, in its own folder
    assert written.path == folder / "toy.cmaudio"


def test_another_model_in_the_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "other.cmaudio").write_bytes(b"kept")
    with pytest.raises(CmaudioError, match=r"other\.cmaudio: give an empty folder"):
        write_hub_folder(load_model("english"), tmp_path)
    assert (tmp_path / "other.cmaudio").read_bytes() == b"kept"


def test_figures_reach_card_and_data_of_a_model_file(tmp_path: Path, report: Path) -> None:
    before = load_model("english")
    after = amend_figures(before, tmp_path / "new.cmaudio", report)
    assert after.data.figures == {"corpus.one step.wer": 0.05}
    assert (after.data.measured, after.data.machine) == ("2026-11-29", "toy, 2 cores")
    assert after.data.trained_on == before.data.trained_on
    assert after.card.count("## Figures") == 1
    assert "| corpus.one step.wer | 0.05 |" in after.card
    assert after.card.partition("## Limits")[2] == before.card.partition("## Limits")[2]
    result = CliRunner().invoke(app, ["models", "inspect", str(after.path), "--json"])
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["figures"] == {"corpus.one step.wer": 0.05}


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "is damaged"), ("[]", "is damaged"), ("{}", "holds no figures"), ('{"sections": {"a": 1e999}}', "figures")],
)
def test_a_report_that_is_none_is_refused(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(CmaudioError, match=told):
        amend_figures(load_model("english"), tmp_path / "new.cmaudio", tmp_path / "report.json")
    assert not (tmp_path / "new.cmaudio").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "english"], "nothing to write"),
        (["export", "english", "-o", "x.cmaudio"], "--figures, --card, --partials"),
        (["export", "english", "--hub", "x", "--weights", "int8"], "is not a run folder"),
    ],
)
def test_exports_that_make_no_sense_are_refused(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CmaudioError, match=told):
        run(*arguments)
    assert not list(tmp_path.iterdir())
