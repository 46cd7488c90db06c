"""What the corrections of timbres add to the prior's median."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cmaudio.model.correction import AGES_S, VELOCITIES, Correction, rows_of
from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.correction import Corrections, correction_of
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_features import all_note_features
from cmaudio.synthesis.prior import MedianAndSpread

BANDS, FLOOR = 64, 1e-4
DB = 20 / np.log(10)
LOWEST, KEYS = 48, 25
Table = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Any]


def table(of: Table, keys: int = KEYS) -> np.ndarray:
    """(K, V, A, M) dB as a function of key, velocity, index of the age, and band."""
    grid = np.meshgrid(LOWEST + np.arange(keys), VELOCITIES, np.arange(len(AGES_S)), np.arange(BANDS), indexing="ij")
    return np.broadcast_to(np.asarray(of(*grid), np.float64), grid[0].shape)


def flat(db: float) -> Table:
    return lambda key, velocity, age, band: db


def highs(db: float) -> Table:
    """What is above the middle of the bands is louder by so much, and what is below softer."""
    return lambda key, velocity, age, band: np.where(band < BANDS // 2, -db / 2, db / 2)


def corrections(*tables: Table | None, keys: int = KEYS) -> Corrections:
    """Of timbres at the places -1, 1, 3, ..."""
    entry = Correction(lowest_key=LOWEST, keys=keys)
    timbres = [
        TimbreDefinition(name=str(i), vector=[2.0 * i - 1, 0.0], correction=entry if of else None)
        for i, of in enumerate(tables)
    ]
    rows = rows_of([table(of, keys) for of in tables if of])
    return Corrections(timbres, rows, np.full(BANDS, -3.0, np.float32), np.full(BANDS, 2.0, np.float32), FLOOR)


def added(
    correct: Corrections,
    place: float = -1.0,
    age: float = 1.0,
    key: float = 60.0,
    velocity: float = 127.0,
    above_db: float = 60.0,
    moving: bool = False,
) -> np.ndarray:
    """(M,) dB added to a median so far above the floor, in colour and level together."""
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
        (0.001, 0),
        (AGES_S[0], 0),
        (AGES_S[2], 8),
        (np.expm1((np.log1p(20 * AGES_S[2]) + np.log1p(20 * AGES_S[3])) / 2) / 20, 10),
        (AGES_S[-1], 4 * (len(AGES_S) - 1)),
        (9.0, 4 * (len(AGES_S) - 1)),
    ],
)
def test_a_table_follows_the_age(age: float, expected: float) -> None:
    correct = corrections(lambda key, velocity, index, band: 4.0 * index)
    np.testing.assert_allclose(added(correct, age=age), expected, atol=0.05)


@pytest.mark.parametrize(
    ("velocity", "expected"), [(1, 20 * np.log10(10 / 127)), (10, 20 * np.log10(10 / 127)), (80, -4.01), (127, 0)]
)
def test_a_table_follows_the_velocity(velocity: float, expected: float) -> None:
    correct = corrections(lambda key, velocity, age, band: 20 * np.log10(velocity / 127))
    np.testing.assert_allclose(added(correct, velocity=velocity), expected, atol=0.51)  # half a step of the file


@pytest.mark.parametrize(("key", "expected"), [(60, 6), (61, -6), (60.25, 3), (20, 6), (100, 6)])
def test_every_key_has_values_of_its_own_and_a_bend_lies_between_them(key: float, expected: float) -> None:
    """Beyond the keys of a table its outermost ones go on."""
    correct = corrections(lambda key, velocity, age, band: np.where(key % 2, -6.0, 6.0))
    np.testing.assert_allclose(added(correct, key=key), expected, atol=0.05)


def test_a_drum_has_one_key() -> None:
    correct = corrections(flat(5), keys=1)
    for key in (30.0, 48.0, 60.5, 90.0):
        np.testing.assert_allclose(added(correct, key=key), 5, atol=0.05)


@pytest.mark.parametrize(("above_db", "lifted_db"), [(60, 4), (8, 4), (3.5, 2), (0, 0), (-20, 0)])
def test_what_is_silent_is_not_lifted_but_may_be_softer(above_db: float, lifted_db: float) -> None:
    found = added(corrections(highs(8)), above_db=above_db)
    assert found[-1] == pytest.approx(lifted_db, abs=0.4)
    assert found[0] == pytest.approx(-4, abs=0.4)


def test_no_correction_is_endless() -> None:
    steepest = added(corrections(highs(120)))
    assert steepest.max() == pytest.approx(40, abs=0.1)
    assert steepest.min() == pytest.approx(-40, abs=0.1)


@pytest.mark.parametrize("moving", [False, True])
def test_a_mix_of_timbres_has_a_mix_of_their_corrections(moving: bool) -> None:
    both = corrections(flat(8), None)
    at = [added(both, place, moving=moving)[0] for place in (-1, -0.5, 0, 0.5, 1)]
    np.testing.assert_allclose([at[0], at[2], at[4]], [8, 4, 0], atol=0.05)
    assert at == sorted(at, reverse=True)


@pytest.mark.parametrize("still", ["the point moves", "the key moves"])
def test_frames_that_move_are_computed_as_those_that_rest(still: str) -> None:
    """The ways of a resting and of a moving note meet where the movement ends."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(-20, 20, table(flat(0)).shape)
    correct = corrections(lambda *grid: noise, highs(9), flat(3), None, highs(-5))
    times = np.array([[0.1, 0.2]])
    key, points = np.array([[60.3, 60.3]]), np.array([[[-0.4, 0.0], [-0.4, 0.0]]], np.float32)
    moved_key, moved_points = key.copy(), points.copy()
    if still == "the point moves":
        moved_points[0, 1] = (0.7, 0)
    else:
        moved_key[0, 1] = 63.0
    features = [all_note_features(times, times - 100, k, np.array([60.0]), np.array([70.0])) for k in (key, moved_key)]
    median = np.zeros((1, 2, BANDS), np.float32)
    rests, moves = (correct(*given, median)[0] for given in ((features[0], points), (features[1], moved_points)))
    np.testing.assert_allclose(rests[0, 0], moves[0, 0], atol=1e-5)
    assert np.abs(rests[0, 1] - moves[0, 1]).max() > 0.1


def test_the_networks_see_the_median_that_they_were_trained_on(model: Model) -> None:
    """The correction is heard in the median, and the inputs of the other networks stay bit for bit."""
    bands, k = model.manifest.mel.bands, model.manifest.block_frames
    bare = [timbre.model_copy(update={"correction": None}) for timbre in model.manifest.timbres]
    entry = Correction(lowest_key=60, keys=1)
    timbres = [timbre.model_copy(update={"correction": entry}) for timbre in bare]
    tilt = np.broadcast_to(np.where(np.arange(bands) < bands // 2, -3.0, 3.0), (1, len(VELOCITIES), len(AGES_S), bands))
    predicted: list[MedianAndSpread] = []
    for chosen, rows in ((bare, None), (timbres, rows_of([tilt] * len(timbres)))):
        manifest = model.manifest.model_copy(update={"timbres": chosen})
        synthesizer = Synthesizer(Model(model.path, manifest, model.card, rows), trusted=True)
        assert synthesizer.prior is not None
        times = np.full((1, k), 0.5)
        features = all_note_features(
            times, times - 100, np.full(times.shape, 60.0), np.array([60.0]), np.array([127.0])
        )
        point = np.array(timbres[0].vector, np.float32)
        controls = np.concatenate([features[..., : synthesizer.features], np.full((1, k, bands), -1, np.float32)], -1)
        predicted.append(synthesizer.prior(controls, np.broadcast_to(point, (1, k, len(point)))))
    plain, corrected = predicted
    np.testing.assert_array_equal(plain.controls, corrected.controls)
    change = (corrected.median - plain.median) * np.array(model.manifest.mel.std) * DB
    assert change.min() == pytest.approx(-3, abs=0.5)
    assert change.max() < 3.5


def test_a_model_without_any_has_no_correction(model: Model) -> None:
    bare = [timbre.model_copy(update={"correction": None}) for timbre in model.manifest.timbres]
    manifest = model.manifest.model_copy(update={"timbres": bare})
    assert correction_of(replace(model, manifest=manifest)) is None
