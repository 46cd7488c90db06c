"""How a timbre's pitch deviates, as a model file says it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cmaudio.model.deviation import MomentsByKey, PitchDeviation, from_moments
from cmaudio.model.manifest import TimbreDefinition

FLUTE = {
    "keys": [
        {"key": 60, "vibrato_cents": 10.0, "vibrato_hz": 4.0, "from_s": 0.2, "full_s": 0.6},
        {"key": 72, "scoop_cents": -20.0, "scoop_s": 0.1, "spread_cents": 8.0, "moving": 0.5},
    ]
}

REEDS = {"keys": [{"key": 84, "spread_cents": 4.0, "moving": 0.4, "first_moves": 0.25, "turning": 0.5}]}
VOICE = {"keys": [{"key": 84, "wander_cents": 3.0, "wander_hz": 1.5}]}


def timbre(deviation: Any) -> TimbreDefinition:
    return TimbreDefinition.model_validate({"name": "flute", "vector": [0.0], "deviation": deviation})


@pytest.mark.parametrize("deviation", [None, FLUTE, REEDS, VOICE])
def test_deviation_survives_json(deviation: Any) -> None:
    before = timbre(deviation)
    assert TimbreDefinition.model_validate_json(before.model_dump_json()) == before


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{"key": 128}],
        [{"key": 60}, {"key": 60}],
        [{"key": 72}, {"key": 60}],
        [{"key": 60, "vibrato_cents": -1.0}],
        [{"key": 60, "vibrato_cents": float("nan")}],
        [{"key": 60, "vibrato_hz": 0.0}],
        [{"key": 60, "scoop_cents": 1000.0}],
        [{"key": 60, "full_s": float("inf")}],
        [{"key": 60, "moving": 1.1}],
        [{"key": 60, "tremolo": 1.0}],
        [{"key": key} for key in range(128)] + [{"key": 0}],
    ],
)
def test_values_outside_their_ranges_are_refused(keys: Any) -> None:
    with pytest.raises(ValidationError):
        timbre({"keys": keys})


@pytest.mark.parametrize(
    ("key", "vibrato", "hz", "scoop", "scoop_s", "spread", "moving"),
    [
        (20, 10.0, 4.0, 0.0, 0.001, 0.0, 0.0),
        (60, 10.0, 4.0, 0.0, 0.001, 0.0, 0.0),
        (66, 5.0, 4.0, -10.0, 0.1, 4.0, 0.5),
        (72, 0.0, 0.0, -20.0, 0.1, 8.0, 0.5),
        (99, 0.0, 0.0, -20.0, 0.1, 8.0, 0.5),
    ],
)
def test_what_a_key_lacks_has_no_say_in_rates_and_times(
    key: float, vibrato: float, hz: float, scoop: float, scoop_s: float, spread: float, moving: float
) -> None:
    found = from_moments(MomentsByKey(PitchDeviation.model_validate(FLUTE))(key))
    values = (found.vibrato_cents, found.vibrato_hz, found.scoop_cents, found.scoop_s, found.spread_cents, found.moving)
    assert np.allclose(values, (vibrato, hz, scoop, scoop_s, spread, moving), atol=1e-6)


@pytest.mark.parametrize("kind", [REEDS, VOICE])
def test_what_partials_do_together_and_apart_comes_back_from_moments(kind: Any) -> None:
    deviation = from_moments(MomentsByKey(PitchDeviation.model_validate(kind))(84))._asdict()
    assert {name: deviation[name] for name in kind["keys"][0] if name != "key"} == pytest.approx(
        {name: value for name, value in kind["keys"][0].items() if name != "key"}
    )
