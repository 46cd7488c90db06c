"""Offsets of the power are found where a model differs from a corpus, and not where the corpus says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")

from cmaudio.model.correction import AGES_S as TABLE_AGES_S
from cmaudio.model.correction import VELOCITIES
from cmaudio.model.file import Model
from cmaudio.training.export.power_offsets import (
    CENTRES_S,
    PARTS,
    PowerOffset,
    RecordedNote,
    fitted_lines,
    from_parts,
    offsets_of,
    parts_of,
    phase_powers,
)

NOISE = np.full(PARTS, 1e-9)
Off = Callable[[RecordedNote], Any]


def notes(timbre: str, count: int, seed: int = 0) -> list[RecordedNote]:
    rng = np.random.default_rng(seed)
    power = 10.0 ** -np.linspace(0, 3, PARTS)
    return [
        RecordedNote(timbre, rng.uniform(36, 84), rng.uniform(10, 127), 48_000, np.tile(power, (len(CENTRES_S), 1)))
        for _ in range(count)
    ]


def played(recorded: list[RecordedNote], off: Off) -> list[np.ndarray]:
    """Softer than recorded by so many dB."""
    return [note.power * 10 ** (-np.asarray(off(note)) / 10) for note in recorded]


HIGHS = np.where(np.arange(PARTS) > 12, 6.0, 0.0)


@pytest.mark.parametrize(
    ("off", "colours", "velocity", "key"),
    [
        (lambda note: 0.0, 0.0, 0.0, 0.0),
        (lambda note: 5.0, 5.0, 0.0, 0.0),
        (lambda note: 20 * np.log10(note.velocity / 90), 0.0, 20.0, 0.0),
        (lambda note: (note.pitch - 60) / 8, 0.0, 0.0, 3.0),
        (lambda note: HIGHS, HIGHS, 0.0, 0.0),
        (lambda note: np.array([[9.0], [0.0], [-3.0]]), np.array([[9.0], [0.0], [-3.0]]), 0.0, 0.0),
    ],
    ids=["none", "level", "velocity", "key", "highs", "attack"],
)
def test_what_a_model_lacks_is_found(off: Off, colours: Any, velocity: float, key: float) -> None:
    recorded = notes("flute", 200)
    found = offsets_of(recorded, played(recorded, off), NOISE)["flute"]
    expected = np.broadcast_to(colours, (len(CENTRES_S), PARTS))
    even = np.abs(np.diff(expected, prepend=expected[:, :1])) + np.abs(np.diff(expected, append=expected[:, -1:])) == 0
    np.testing.assert_allclose(np.array(found.colour_db)[even], expected[even], atol=0.4)
    np.testing.assert_allclose(found.velocity_db, velocity, atol=0.6)
    np.testing.assert_allclose(found.key_db, key, atol=0.4)


def test_few_notes_say_little_of_themselves_and_take_the_velocity_of_all() -> None:
    many, few = notes("flute", 100), notes("harp", 1, seed=1)
    recorded = many + few
    law = offsets_of(recorded, played(recorded, lambda note: 20 * np.log10(note.velocity / 90)), NOISE)
    np.testing.assert_allclose(law["harp"].velocity_db, 20, atol=2)
    found = offsets_of(recorded, played(many, lambda note: 0.0) + played(few, lambda note: HIGHS), NOISE)
    assert 1 < max(found["harp"].colour_db[0]) < 5


def test_what_cannot_be_heard_is_left_alone() -> None:
    recorded = notes("flute", 50)
    quiet = [RecordedNote(n.timbre, n.pitch, n.velocity, n.held_samples, n.power.copy()) for n in recorded]
    for note in quiet:
        note.power[:, -1] = 1e-12
    ours = [note.power.copy() for note in quiet]
    for power in ours:
        power[:, -1] *= 100
    found = offsets_of(quiet, ours, NOISE)["flute"]
    assert np.array(found.colour_db)[:, -1] == pytest.approx(0, abs=0.1)


def test_phases_that_a_note_has_not_are_left_out(model: Model) -> None:
    rate = model.manifest.sample_rate
    tone = np.sin(2 * np.pi * 440 / rate * np.arange(rate // 2)).astype(np.float32)
    powers = phase_powers(tone, model)
    assert powers.shape == (len(CENTRES_S), PARTS)
    assert np.isnan(powers[2]).all()
    assert np.isfinite(powers[:2]).all()
    assert (powers[1].argmax(), phase_powers(0.1 * tone, model)[1].argmax()) == (powers[1].argmax(),) * 2
    assert powers[1].max() / phase_powers(0.1 * tone, model)[1].max() == pytest.approx(100, rel=1e-3)


def test_lines_are_fitted_and_shrunk() -> None:
    rng = np.random.default_rng(0)
    ages, places = np.eye(3)[rng.integers(0, 3, 300)], rng.uniform(-1, 1, (300, 2))
    truth = np.array([4.0, -2.0, 1.0, 8.0, -5.0])
    values = np.concatenate([ages, places], 1) @ truth
    np.testing.assert_allclose(fitted_lines(values, ages, places, 1e-6), truth, atol=1e-3)
    assert (np.abs(fitted_lines(values, ages, places, 1e6)) < 0.01).all()


@pytest.mark.parametrize("bands", [8, 40, 64, 128])
def test_parts_cover_the_bands_and_their_values_are_interpolated(bands: int) -> None:
    parts = parts_of(bands)
    assert sum(part.stop - part.start for part in parts) == bands
    np.testing.assert_allclose(from_parts(bands).sum(0), 1)


def test_an_offset_is_written_into_a_table_by_key_velocity_and_age() -> None:
    offset = PowerOffset(np.array([[2.0], [6.0], [-3.0]]) + np.zeros(PARTS), np.full(PARTS, 20.0), np.full(PARTS, 4.0))
    found = offset.at(np.array([60, 66]), 128)
    assert found.shape == (2, len(VELOCITIES), len(TABLE_AGES_S), 128)
    loud = found[0, -1, :, 5] - 20 * np.log10(127 / 90)
    assert loud[[0, TABLE_AGES_S.index(0.03), TABLE_AGES_S.index(0.25), -1]] == pytest.approx([2, 2, 6, -3])
    np.testing.assert_allclose(found[1] - found[0], 1)
    np.testing.assert_allclose(found[:, 0] - found[:, -1], 20 * np.log10(VELOCITIES[0] / VELOCITIES[-1]))
