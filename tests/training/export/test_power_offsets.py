"""Offsets of the power are found where a model differs from a corpus, and not where the corpus says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")

from cmaudio.model.correction import AGES_S, VELOCITIES
from cmaudio.model.file import Model
from cmaudio.training.export.key_grid import KeyGrid
from cmaudio.training.export.power_offsets import (
    CENTRES_S,
    PARTS,
    RecordedNote,
    by_age_and_band,
    from_parts,
    offsets_of,
    parts_of,
    phase_powers,
)

NOISE = np.full(PARTS, 1e-9)
GRIDS = {name: KeyGrid(48, 12) for name in ("flute", "harp")}
POWER = np.tile(10.0 ** -np.linspace(0, 3, PARTS), (len(CENTRES_S), 1))
Off = Callable[[RecordedNote], Any]


def notes(timbre: str = "flute") -> list[RecordedNote]:
    """One of each key at each velocity."""
    return [RecordedNote(timbre, key, velocity, 48_000, POWER) for key in range(48, 60) for velocity in VELOCITIES]


def played(recorded: list[RecordedNote], off: Off) -> list[np.ndarray]:
    """Softer than recorded by so many dB."""
    return [note.power * 10 ** (-np.asarray(off(note)) / 10) for note in recorded]


HIGHS = np.where(np.arange(PARTS) > 12, 6.0, 0.0)


def found_of(off: Off) -> np.ndarray:
    recorded = notes()
    return offsets_of(recorded, played(recorded, off), NOISE, GRIDS)["flute"]


@pytest.mark.parametrize(
    "off",
    [
        lambda note: 0.0,
        lambda note: 5.0,
        lambda note: 3.0 * (-1) ** note.pitch,
        lambda note: 20 * np.log10(note.velocity / 90),
        lambda note: HIGHS,
        lambda note: np.array([[9.0], [0.0], [-3.0]]),
    ],
    ids=["none", "level", "every other key", "velocity", "highs", "attack"],
)
def test_what_a_model_lacks_is_found(off: Off) -> None:
    found = found_of(off)
    expected = [np.broadcast_to(off(note), POWER.shape) for note in notes()]
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), atol=1.0)


def test_each_timbre_has_its_own() -> None:
    both = notes("flute") + notes("harp")
    found = offsets_of(both, played(both, lambda note: 5.0 if note.timbre == "harp" else 0.0), NOISE, GRIDS)
    np.testing.assert_allclose(found["flute"], 0, atol=1e-9)
    np.testing.assert_allclose(found["harp"], 5, atol=0.3)


def test_phases_that_no_note_has_change_nothing() -> None:
    short = np.where(np.arange(len(CENTRES_S))[:, None] > 1, np.nan, POWER)
    recorded = [replace(note, power=short) for note in notes()]
    found = offsets_of(recorded, played(recorded, lambda note: 5.0), NOISE, GRIDS)["flute"]
    np.testing.assert_allclose(found[:, :, :2], 5, atol=0.3)
    np.testing.assert_allclose(found[:, :, 2], 0, atol=1e-9)


def test_what_cannot_be_heard_is_left_alone() -> None:
    quiet = POWER.copy()
    quiet[:, -1] = 1e-12
    recorded = [replace(note, power=quiet) for note in notes()]
    ours = [quiet * np.where(np.arange(PARTS) == PARTS - 1, 100, 1)] * len(recorded)
    found = offsets_of(recorded, ours, NOISE, GRIDS)["flute"]
    np.testing.assert_allclose(found[..., -1], 0, atol=0.1)


def test_phases_that_a_note_has_not_are_left_out(model: Model) -> None:
    rate = model.manifest.sample_rate
    tone = np.sin(2 * np.pi * 440 / rate * np.arange(rate // 2)).astype(np.float32)
    powers = phase_powers(tone, model)
    assert powers.shape == (len(CENTRES_S), PARTS)
    assert np.isnan(powers[2]).all()
    assert np.isfinite(powers[:2]).all()
    assert (powers[1].argmax(), phase_powers(0.1 * tone, model)[1].argmax()) == (powers[1].argmax(),) * 2
    assert powers[1].max() / phase_powers(0.1 * tone, model)[1].max() == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("bands", [8, 40, 64, 128])
def test_parts_cover_the_bands_and_their_values_are_interpolated(bands: int) -> None:
    parts = parts_of(bands)
    assert sum(part.stop - part.start for part in parts) == bands
    np.testing.assert_allclose(from_parts(bands).sum(0), 1)


def test_offsets_of_phases_become_a_table_by_age() -> None:
    offsets = np.array([[2.0], [6.0], [-3.0]]) + np.arange(6.0).reshape(2, 3, 1, 1) + np.zeros(PARTS)
    found = by_age_and_band(offsets, 128)
    assert found.shape == (2, len(VELOCITIES), len(AGES_S), 128)
    ages = [0, AGES_S.index(0.03), AGES_S.index(0.25), -1]
    assert found[1, 2, ages, 5] - 5 == pytest.approx([2, 2, 6, -3])
