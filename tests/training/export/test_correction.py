"""A correction brings a model's notes to those of a corpus, and its file keeps everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")

from cmaudio.errors import CmaudioError
from cmaudio.model.correction import AGES_S, VELOCITIES
from cmaudio.model.file import Model, load_model
from cmaudio.model.saving import save_changed
from cmaudio.synthesis.note_features import all_note_features
from cmaudio.training.export.correction import measured_correction, with_tables
from cmaudio.training.export.eight_bit import in_8_bit
from cmaudio.training.export.median_offsets import Difference, KeyTable, differences, fitted_table

BANDS, FLOOR = 24, -8.0
DB = 20 / np.log(10)


def of_keys(off: Any, keys: range, weight: float = 1.0, velocities: tuple[float, ...] = VELOCITIES) -> list[Difference]:
    """One note at each age, key and velocity, off by so many dB."""
    return [
        Difference(
            age, float(key), velocity, np.full(BANDS, off(key, velocity, age), np.float32), np.full(BANDS, weight)
        )
        for age in range(len(AGES_S))
        for key in keys
        for velocity in velocities
    ]


@pytest.mark.parametrize(
    "off",
    [
        lambda key, velocity, age: 4.0,
        lambda key, velocity, age: 5.0 * (-1) ** key,
        lambda key, velocity, age: 20 * np.log10(velocity / 127),
        lambda key, velocity, age: 3.0 * age,
    ],
    ids=["level", "every other key", "velocity", "age"],
)
def test_what_notes_say_of_a_key_becomes_its_table(off: Any) -> None:
    found = fitted_table(of_keys(off, range(50, 60)) * 4)
    assert found.lowest_key == 50
    expected = [[[off(key, v, age) for age in range(len(AGES_S))] for v in VELOCITIES] for key in range(50, 60)]
    np.testing.assert_allclose(found.offsets_db[..., 3], expected, atol=1.0)


def test_a_key_without_notes_lies_between_its_neighbours() -> None:
    rising = [of_keys(lambda key, velocity, age: 3.0 * (key - 50), keys) for keys in (range(50, 53), range(55, 58))]
    found = fitted_table(9 * [*rising[0], *rising[1]]).offsets_db
    np.testing.assert_allclose(found[3:5, 1, 2, 0], [9, 12], atol=1.5)


def test_what_is_not_heard_says_nothing() -> None:
    unheard = of_keys(lambda key, velocity, age: 30.0, range(50, 55), weight=0.0)
    np.testing.assert_allclose(fitted_table(unheard).offsets_db, 0, atol=1e-6)


def test_a_drum_has_one_key() -> None:
    assert len(fitted_table(of_keys(lambda key, velocity, age: 1.0, range(38, 39))).offsets_db) == 1


def test_a_note_is_compared_until_its_release_and_above_the_floor() -> None:
    times = np.arange(1, 101)[None] / 100
    controls = all_note_features(times, times - 0.6, np.full((1, 100), 64.0), np.array([64.0]), np.array([100.0]))[0]
    median = np.full((100, BANDS), FLOOR + 2, np.float32)
    recorded = median + np.float32(6 / DB)
    recorded[60:] += 3
    recorded[:, 0] = median[:, 0] = FLOOR - 1
    found = differences(controls, recorded, median, FLOOR)
    assert [one.age for one in found] == [0, 1, 2, 3, 4]
    for one in found:
        assert (one.key, one.velocity) == pytest.approx((64, 100), abs=1e-3)
        np.testing.assert_allclose(one.off_db[1:], 6, atol=1e-3)
        assert one.weight[0] == 0
        assert 0 < one.weight[1] < 1
    assert found[0].weight[1] < found[3].weight[1]


def test_a_file_keeps_its_corrections_through_other_changes(model: Model, tmp_path: Path) -> None:
    bands = model.manifest.mel.bands
    rng = np.random.default_rng(0)
    names = [timbre.name for timbre in model.manifest.timbres][:2]
    shape = (3, len(VELOCITIES), len(AGES_S), bands)
    tables = {name: KeyTable(50, rng.uniform(-9, 9, shape).astype(np.float32)) for name in names}
    corrected = with_tables(model, tables)
    written = save_changed(
        model, tmp_path / "a.cmaudio", manifest=corrected.manifest, corrections=corrected.corrections
    )
    again = save_changed(load_model(written.path), tmp_path / "b.cmaudio", card="Another card.")
    assert again.card == "Another card."
    assert corrected.corrections is not None
    assert written.corrections is not None
    assert again.corrections is not None
    np.testing.assert_array_equal(written.corrections, corrected.corrections)
    np.testing.assert_array_equal(again.corrections, corrected.corrections)
    assert [name for name, timbre in again.timbres.items() if timbre.correction] == names


def test_the_ranges_of_8_bit_graphs_are_those_with_corrections(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[Model] = []

    def record(whole: Model) -> dict[str, Any]:
        played.append(whole)
        return {}

    monkeypatch.setattr("cmaudio.training.export.eight_bit.record_feeds", record)
    graphs = {name: model.graph(name) for name in model.manifest.graphs}
    assert in_8_bit(model.manifest, graphs, [], model.corrections) == {}
    assert model.corrections is not None
    np.testing.assert_array_equal(played[0].corrections, model.corrections)


def test_models_and_corpora_that_do_not_fit_are_refused(model: Model, textures: Model, tiny: Any, corpus: Path) -> None:
    with pytest.raises(CmaudioError, match="only instruments with a prior"):
        measured_correction(textures, corpus)
    with pytest.raises(CmaudioError, match="another signal"):
        measured_correction(model, corpus)
