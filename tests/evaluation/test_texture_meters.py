"""Meters of textures on sounds whose answers are known: copies, names, and distances of embeddings."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from cmaudio.evaluation.context import not_measured
from cmaudio.evaluation.textures.copies import WINDOW, RecordingIndex, loudest_window
from cmaudio.evaluation.textures.linear import LinearLayer
from cmaudio.evaluation.textures.naming import directions_of, distances, named
from cmaudio.evaluation.textures.tables import print_textures
from cmaudio.signal.dsp import Float

RNG = np.random.default_rng(0)


def noise(seconds: float, seed: int) -> Float:
    return np.random.default_rng(seed).standard_normal(int(seconds * WINDOW)).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> RecordingIndex:
    return RecordingIndex([noise(0.3, 1), noise(7.0, 2), np.pad(noise(0.5, 3), (0, 100_000))])


@pytest.mark.parametrize(
    ("window", "least", "most"),
    [
        (noise(7.0, 2)[:WINDOW], 0.999, 1.001),
        (-0.01 * noise(7.0, 2)[70_001 : 70_001 + WINDOW], 0.999, 1.001),
        (np.pad(noise(0.3, 1), (0, WINDOW - int(0.3 * WINDOW))), 0.999, 1.001),
        (noise(7.0, 2)[:WINDOW] + noise(1.0, 9), 0.65, 0.76),
        (noise(1.0, 8), 0.01, 0.06),
        (np.zeros(WINDOW, np.float32), 0.0, 0.0),
    ],
    ids=["a copy", "at another place and level", "a short one", "half of it noise", "other noise", "silence"],
)
def test_a_copy_is_found_at_any_place_and_level(
    index: RecordingIndex, window: Float, least: float, most: float
) -> None:
    assert least <= index.largest(window.astype(np.float32)) <= most


def test_the_loudest_second_is_looked_for() -> None:
    sound = np.concatenate([0.01 * noise(2.0, 4), noise(1.0, 5), 0.01 * noise(2.0, 6)])
    np.testing.assert_allclose(loudest_window(sound), sound[2 * WINDOW : 3 * WINDOW], atol=0.1)
    short = loudest_window(noise(0.2, 7))
    assert len(short) == WINDOW
    assert not short[WINDOW // 5 + 1 :].any()


def clips(centre: int, count: int, spread: float = 0.3) -> list[np.ndarray]:
    """Embeddings of clips of two windows each, about one of some centres."""
    middle = np.random.default_rng(centre).standard_normal(20)
    return [middle + spread * RNG.standard_normal((2, 20)) for _ in range(count)]


def test_a_linear_layer_learns_classes_of_unequal_size() -> None:
    rows = np.concatenate([np.concatenate(clips(c, n)) for c, n in ((1, 40), (2, 3), (3, 3))])
    classes = np.repeat([0, 1, 2], [80, 6, 6])
    layer = LinearLayer.fitted(rows, classes, 3)
    for c in range(3):
        assert layer(np.concatenate(clips(c + 1, 4))).argmax(1).tolist() == [c] * 8


def test_clips_are_named_by_what_was_trained_on_recordings() -> None:
    train = {name: clips(i, 4) for i, name in enumerate(("rain", "wind", "fire"))}
    held_out = {"rain": clips(0, 2), "wind": clips(1, 1)}
    made = {"rain": clips(0, 3), "wind": clips(0, 3), "fire": clips(2, 3)}
    found = named(train, held_out, made)
    assert (found["held_out_right"], found["made_right"], found["made_right_of_all"]) == (1, 0.5, 0.667)
    assert found["made_over_held_out"] == found["as_held_out"] == 0.5
    assert found["timbres"]["wind"]["made"] == ["rain"] * 3


def test_without_held_out_recordings_nothing_is_compared() -> None:
    train = {name: clips(i, 4) for i, name in enumerate(("rain", "wind"))}
    found = named(train, {}, {"rain": clips(0, 2)})
    assert found["made_over_held_out"] is None
    assert found["made_right_of_all"] == 1
    assert list(found["timbres"]) == ["rain"]


def test_distances_of_embeddings_are_small_for_the_same_sound() -> None:
    train = {name: clips(i, 12) for i, name in enumerate(("rain", "wind"))}
    made = {"rain": clips(0, 12), "wind": clips(0, 12)}
    rows = distances(train, {"rain": clips(0, 1)}, made)["embeddings"]["timbres"]
    assert rows["rain"]["to_training"] < 0.5 * rows["wind"]["to_training"]
    assert rows["rain"]["to_held_out"] is None, "too few windows"


def test_principal_directions_have_variance_one() -> None:
    windows = RNG.standard_normal((300, 20)) * np.arange(1, 21)
    mean, axes = directions_of(windows, 5)
    np.testing.assert_allclose(((windows - mean) @ axes).std(0), 1, rtol=1e-6)


def test_names_and_copies_are_printed() -> None:
    train = {name: clips(i, 8) for i, name in enumerate(("rain", "wind"))}
    naming = named(train, {"rain": clips(0, 1)}, train) | distances(train, {}, train)
    row = {"n": 1, "median": 0.1, "p95": 0.2, "min": 0.1, "max": 0.2}
    console = Console(width=120, record=True, file=io.StringIO())
    print_textures({"naming": naming, "copies": {"made": row, "held_out": row}}, console)
    print_textures({"naming": not_measured("needs a package")}, console)
    text = console.export_text()
    assert "named right" in text
    assert "held out" in text
    assert "needs a package" in text
