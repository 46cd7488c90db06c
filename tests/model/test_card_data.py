"""What a card says, for programs: in the file, read from the card of files from before, and refused where damaged."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.model.card_data import MEMBER, CardData, TrainingData, figures_of, parse_card_data, read_card
from cmaudio.model.file import embedded_models, load_model
from cmaudio.model.saving import save_model

DATA = CardData(
    trained_on=[TrainingData(name="toy", clips=12, hours=0.25)],
    parameters={"vocoder": 1000},
    figures={"held_out.l1_db": 2.5},
    measured="2026-11-29",
)


def test_the_data_of_a_card_survive_saving_and_do_not_change_how_it_plays(tmp_path: Path) -> None:
    before = load_model("english")
    graphs = {name: before.graph(name) for name in before.manifest.graphs}
    save_model(tmp_path / "with.cmaudio", before.manifest, graphs, before.card, data=DATA, fast=True)
    after = load_model(tmp_path / "with.cmaudio")
    assert after.data == DATA
    assert {name: after.graph(name) for name in graphs} == graphs
    digests = [{name: sum for name, sum in m.manifest.sha256.items() if name != MEMBER} for m in (before, after)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("name", list(embedded_models()))
def test_the_tables_of_a_card_are_read(name: str) -> None:
    data = read_card(load_model(name).card)
    assert data.trained_on
    assert data.trained_on[0].hours > 0
    assert data.trained_on[0].source in ("speech", "soundfont", "table")
    assert data.trained_on[0].licence
    assert data.parameters["consistency network"] > 1e6
    assert len(data.figures) > 5


@pytest.mark.parametrize("name", list(embedded_models()))
def test_embedded_models_carry_the_data_of_their_cards(name: str) -> None:
    model = load_model(name)
    assert model.stored_data is not None
    assert model.stored_data.figures == pytest.approx(read_card(model.card).figures, rel=1e-5)


@pytest.mark.parametrize(
    "card",
    ["", "## Figures", "| a | 1 |", "## Figures\n| a | 1e999 |\n| b | nan |\n", "| trained on | x: 1 clips, 9" * 99],
)
def test_cards_without_tables_say_nothing(card: str) -> None:
    assert read_card(card) == CardData()


@pytest.mark.parametrize(
    ("report", "figures"),
    [
        ({"sections": {"a": {"b": 1.5, "worst": [1], "ok": True}}}, {"a.b": 1.5}),
        ({"wer": 0.1}, {"wer": 0.1}),
        ({"sections": {"a": {"not_measured": "no SoundFont"}}}, {}),
    ],
)
def test_the_numbers_of_a_report_become_figures(report: dict[str, Any], figures: dict[str, float]) -> None:
    assert figures_of(report)["figures"] == figures


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "card.json"),
        (b'{"figures": {"a": "many"}}', "figures.a"),
        (b'{"figures": {"a": NaN}}', "figures.a"),
        (b'{"trained_on": [{"name": "x", "hours": -1}]}', "hours"),
    ],
)
def test_damaged_data_are_named(content: bytes, told: str) -> None:
    with pytest.raises(CmaudioError, match=told):
        parse_card_data(Path("toy.cmaudio"), content)


def test_what_later_versions_add_is_ignored() -> None:
    assert parse_card_data(Path("toy.cmaudio"), b'{"figures": {"a": 1}, "colour": "blue"}').figures == {"a": 1}


def test_data_that_do_not_match_their_checksum_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy.cmaudio"
    model = load_model("english")
    save_model(path, model.manifest, {name: model.graph(name) for name in model.manifest.graphs}, model.card, fast=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(MEMBER, json.dumps({"figures": {"wer": 0}}))
    with pytest.raises(CmaudioError, match=r"card\.json does not match its checksum"):
        load_model(path)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ([], "no model file"),
        (["a.cmaudio", "b.cmaudio"], r"2 model files \(a\.cmaudio, b\.cmaudio\)"),
        (["a.cmaudio"], None),
        (["folder.cmaudio", "teacher.cmaudio"], None),
    ],
)
def test_a_folder_is_loaded_by_the_model_in_it(tmp_path: Path, held: list[str], told: str | None) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in held:
        (folder / name).symlink_to(load_model("english").path)
    if told is None:
        assert load_model(folder).manifest.name == "english"
        assert load_model(str(folder)).path == folder / held[0]
    else:
        with pytest.raises(CmaudioError, match=told):
            load_model(folder)
