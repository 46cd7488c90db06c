"""What the corrections of timbres add to the prior's median."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmaudio.model.correction import AGES_S, PARTS, Correction, from_parts, parts_of
from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.correction import Corrections, correction_of
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_kinds import all_note_features
from cmaudio.synthesis.prior import MedianAndSpread

BANDS, FLOOR = 64, 1e-4
DB = 20 / np.log(10)


def correction(
    attack: float = 0.0, body: float = 0.0, late: float = 0.0, velocity: float = 0.0, key: float = 0.0
) -> Any:
    rows = [[value] * PARTS for value in (attack, body, late, velocity, key)]
    return Correction(colour_db=rows[:3], velocity_db=rows[3], key_db=rows[4])


def timbre(name: str, place: float, of: Correction | None) -> TimbreDefinition:
    return TimbreDefinition(name=name, vector=[place, 0.0], correction=of)


def added(
    timbres: list[TimbreDefinition],
    place: float = 0.0,
    age: float = 1.0,
    key: float = 60.0,
    velocity: float = 127.0,
    above_db: float = 60.0,
    moving: bool = False,
) -> np.ndarray:
    """(M,) dB added to a median so far above the floor, in colour and level together."""
    std, mean = np.full(BANDS, 2.0, np.float32), np.full(BANDS, -3.0, np.float32)
    correct = Corrections(timbres, mean, std, FLOOR)
    times = np.full((1, 2), age)
    controls = all_note_features(times, times - 100, np.full((1, 2), key), np.array([key]), np.array([velocity]))
    points = np.array([[[place, 0.0], [place + 0.2 * moving, 0.0]]], np.float32)
    median = np.full((1, 2, BANDS), (np.log(FLOOR) + above_db / DB + 3) / 2, np.float32)
    corrected, level = correct(controls, points, median)
    np.testing.assert_array_equal(level, correct.level(controls, points))
    return np.asarray((corrected - median)[0, 0] * 2 * DB + level[0, 0] * DB)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0.01, 2),
        (AGES_S[0], 2),
        (np.expm1((np.log1p(20 * AGES_S[0]) + np.log1p(20 * AGES_S[1])) / 2) / 20, 4),
        (AGES_S[1], 6),
        (1.0, -3),
        (9.0, -3),
    ],
)
def test_colours_follow_the_age(age: float, expected: float) -> None:
    np.testing.assert_allclose(added([timbre("a", 0, correction(2, 6, -3))], age=age), expected, atol=0.05)


@pytest.mark.parametrize(
    ("velocity", "key", "expected"), [(127, 60, 0), (12.7, 60, -20), (63.5, 60, -6.02), (127, 84, 3), (127, 48, -1.5)]
)
def test_velocity_and_key_add_their_lines(velocity: float, key: float, expected: float) -> None:
    found = added([timbre("a", 0, correction(velocity=20, key=3))], velocity=velocity, key=key)
    np.testing.assert_allclose(found, expected, atol=0.02)


def highs(db: float) -> Any:
    """What is above the middle of the bands is louder by so much, and what is below softer."""
    row = [-db / 2] * (PARTS // 2) + [db / 2] * (PARTS - PARTS // 2)
    return Correction(colour_db=[row] * 3, velocity_db=[0.0] * PARTS, key_db=[0.0] * PARTS)


@pytest.mark.parametrize(("above_db", "lifted_db"), [(60, 4), (8, 4), (3.5, 2), (0, 0), (-20, 0)])
def test_what_is_silent_is_not_lifted_but_may_be_softer(above_db: float, lifted_db: float) -> None:
    coloured, level = [timbre("a", 0, highs(8))], added([timbre("a", 0, highs(8))], above_db=-99)[-1]
    found = added(coloured, above_db=above_db) - level
    assert found[-1] == pytest.approx(lifted_db - level * (lifted_db > 0), abs=0.4)
    assert found[0] == pytest.approx(-4 - level, abs=0.4)


def test_no_correction_is_endless() -> None:
    np.testing.assert_allclose(added([timbre("a", 0, correction(90, 90, 90))])[0], 80, atol=1e-2)


@pytest.mark.parametrize("moving", [False, True])
def test_a_mix_of_timbres_has_a_mix_of_their_corrections(moving: bool) -> None:
    both = [timbre("a", -1, correction(late=8)), timbre("b", 1, None)]
    at = [added(both, place, moving=moving)[0] for place in (-1, -0.5, 0, 0.5, 1)]
    np.testing.assert_allclose([at[0], at[2], at[4]], [8, 4, 0], atol=0.05)
    assert at == sorted(at, reverse=True)


@pytest.mark.parametrize("bands", [8, 40, 64, 128])
def test_parts_cover_the_bands_and_their_values_are_interpolated(bands: int) -> None:
    parts = parts_of(bands)
    assert sum(part.stop - part.start for part in parts) == bands
    np.testing.assert_allclose(from_parts(bands).sum(0), 1)


def test_the_networks_see_the_median_that_they_were_trained_on(model: Model) -> None:
    """The correction is heard in the median, and the inputs of the other networks stay bit for bit."""
    bare = [timbre.model_copy(update={"correction": None}) for timbre in model.manifest.timbres]
    timbres = [timbre.model_copy(update={"correction": highs(6)}) for timbre in bare]
    rng = np.random.default_rng(0)
    predicted: list[MedianAndSpread] = []
    for chosen in (bare, timbres):
        manifest = model.manifest.model_copy(update={"timbres": chosen})
        synthesizer = Synthesizer(Model(model.path, manifest, model.card), trusted=True)
        assert synthesizer.prior is not None
        times = np.full((1, manifest.block_frames), 0.5)
        features = all_note_features(
            times, times - 100, np.full(times.shape, 60.0), np.array([60.0]), np.array([127.0])
        )
        picture = rng.standard_normal((1, manifest.block_frames, manifest.mel.bands), dtype=np.float32) * 0 - 1
        point = np.array(timbres[0].vector, np.float32)
        controls = np.concatenate([features[..., : synthesizer.features], picture], -1)
        predicted.append(synthesizer.prior(controls, np.broadcast_to(point, (1, manifest.block_frames, len(point)))))
    plain, corrected = predicted
    np.testing.assert_array_equal(plain.controls, corrected.controls)
    change = (corrected.median - plain.median) * np.array(model.manifest.mel.std) * DB
    assert change.min() == pytest.approx(-3, abs=0.5)
    assert change.max() < 3.5


def test_a_model_without_any_has_no_correction(model: Model) -> None:
    bare = [timbre.model_copy(update={"correction": None}) for timbre in model.manifest.timbres]
    assert correction_of(model.manifest.model_copy(update={"timbres": bare})) is None
