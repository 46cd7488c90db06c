"""The excitation of a point of the timbre space, and notes that have one of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import Manifest, TimbreDefinition
from cmaudio.model.saving import save_model
from cmaudio.signal.dsp import Float
from cmaudio.signal.peaks import power_share, spectral_peaks
from cmaudio.synthesis.sources import Sources, sources_of

BELL = {"kind": "sets", "sets": [{"key": 60, "ratios": [1.0, 2.756, 5.404]}]}
ORGAN = {"kind": "lower_base", "divisor": 2}
NOISE = {"kind": "none"}
STRINGS = {"kind": "stretched", "strings": [{"key": 60, "b": 2e-3}]}
RATE = 16_000


def timbres(*rows: tuple[list[float], Any]) -> list[TimbreDefinition]:
    return [
        TimbreDefinition.model_validate({"name": str(i), "vector": vector, "partials": partials})
        for i, (vector, partials) in enumerate(rows)
    ]


SPACE = timbres(([0.0, 0.0], None), ([1.0, 0.0], BELL), ([0.0, 1.0], ORGAN), ([-1.0, 0.0], None))


def test_harmonic_models_have_no_sources() -> None:
    assert sources_of(timbres(([0.0], None), ([1.0], None))) is None


@pytest.mark.parametrize(
    ("point", "weights"),
    [
        ([0.0, 0.0], [1, 0, 0]),
        ([1.0, 0.0], [0, 1, 0]),
        ([0.0, 1.0], [0, 0, 1]),
        ([0.5, 0.0], [0.5, 0.5, 0]),
        ([0.3, 0.0], [1, 0, 0]),  # near its own timbre
        ([-0.5, 0.0], [1, 0, 0]),  # between two harmonic ones
    ],
)
def test_a_point_has_the_excitations_nearest_to_it(point: list[float], weights: list[float]) -> None:
    np.testing.assert_allclose(Sources(SPACE).weights(np.array(point)), weights, atol=1e-6)


@pytest.mark.parametrize("alone", [0, 1])
def test_all_timbres_of_one_kind(alone: int) -> None:
    sources = Sources(timbres(([0.0], BELL), ([1.0], BELL if alone else ORGAN)))
    assert sources.weights(np.array([0.0]))[0] == 0


def test_shares_change_smoothly_along_a_morph() -> None:
    line = np.linspace(0, 1, 201)[:, None] * np.array([[1.0, 0.0]])
    weights = Sources(SPACE).moving_weights(line)
    np.testing.assert_allclose(weights.sum(-1), 1)
    assert np.abs(np.diff(weights, axis=0)).max() < 0.04
    assert (np.diff(weights[:, 1]) >= 0).all()


# -- notes of a random model -------------------------------------------------------------------------------------------


def with_partials(tiny: Any, folder: Path, partials: Any, picture: str = "harmonic") -> Model:
    """The tiny model, its second timbre with these partials."""
    model: Model = tiny.model
    fields = model.manifest.model_dump(mode="json") | {"picture": picture}
    fields["timbres"][1]["partials"] = partials
    manifest = Manifest.model_validate(fields)
    path = folder / "partials.cmaudio"
    graphs = {name: load_model(model.path).graph(name) for name in manifest.graphs}
    save_model(path, manifest, graphs, model.card)
    return load_model(path)


def played(model: Model, timbre: str, reads: tuple[int, ...] = (24_000,), **steering: Any) -> Float:
    engine = Engine(model, seed=1, channels=1)
    note = engine.note_on(60, 100, timbre=timbre)
    if "bend" in steering:
        note.bend(steering["bend"], 0.1, at=4000)
    if "morph" in steering:
        note.morph(steering["morph"], 0.3, at=4000)
    return np.concatenate([engine.read(count) for count in reads])


@pytest.mark.parametrize("steering", [{}, {"bend": 3.0}])
@pytest.mark.parametrize("timbre", ["first", "third"])
def test_harmonic_timbres_are_untouched(tiny: Any, tmp_path: Path, timbre: str, steering: dict[str, Any]) -> None:
    changed = with_partials(tiny, tmp_path, BELL)
    np.testing.assert_array_equal(played(changed, timbre, **steering), played(tiny.model, timbre, **steering))


@pytest.mark.parametrize("partials", [BELL, ORGAN, STRINGS, NOISE], ids=["sets", "lower base", "stretched", "noise"])
@pytest.mark.parametrize("picture", ["harmonic", "partials"])
@pytest.mark.parametrize("steering", [{}, {"bend": 3.0}, {"morph": "first"}], ids=["steady", "bent", "morphed"])
def test_read_sizes_do_not_matter(
    tiny: Any, tmp_path: Path, partials: Any, picture: str, steering: dict[str, Any]
) -> None:
    model = with_partials(tiny, tmp_path, partials, picture)
    whole = played(model, "second", **steering)
    assert np.abs(whole).max() > 0
    np.testing.assert_array_equal(whole, played(model, "second", (1, 64, 65, 8193, 24_000 - 8323), **steering))


@pytest.mark.parametrize(
    ("partials", "expected"),
    [(BELL, (1.0, 2.756, 5.404)), (ORGAN, (0.5,)), (STRINGS, (1.0, 2.005, 3.023))],
    ids=["sets", "lower base", "stretched"],
)
def test_partials_sound_where_they_are(tiny: Any, tmp_path: Path, partials: Any, expected: tuple[float, ...]) -> None:
    sound = played(with_partials(tiny, tmp_path, partials), "second")[8000:]
    peaks = spectral_peaks(sound, RATE, lowest_hz=60, apart_hz=20, count=40)
    for ratio in expected:
        place = 261.626 * ratio
        nearest = min(abs(1200 * np.log2(peak.hz / place)) for peak in peaks)
        assert nearest < 5, ratio


def test_a_morph_between_kinds_has_no_step(tiny: Any, tmp_path: Path) -> None:
    model = with_partials(tiny, tmp_path, BELL)
    steady = max(np.abs(np.diff(played(model, name)[8000:])).max() for name in ("first", "second"))
    assert np.abs(np.diff(played(model, "second", morph="first")[2000:])).max() < 2 * steady


@pytest.mark.parametrize("picture", ["harmonic", "partials"])
def test_what_has_no_partials_sounds_of_noise_alone(tiny: Any, tmp_path: Path, picture: str) -> None:
    model = with_partials(tiny, tmp_path, NOISE, picture)
    harmonics = [261.626 * k for k in range(1, 25)]
    harmonic, noise = (power_share(played(m, "second")[8000:], RATE, harmonics) for m in (tiny.model, model))
    assert noise < 0.5 * harmonic, (noise, harmonic)


def test_most_of_a_morph_decides_whether_the_vocoder_hears_a_pitch() -> None:
    sources = Sources(timbres(([0.0], None), ([1.0], NOISE)))
    shares = sources.moving_weights(np.array([[0.0], [0.45], [0.55], [1.0]]))
    np.testing.assert_array_equal(sources.base_ratio(shares), [1, 1, 0, 0])
