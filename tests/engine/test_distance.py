"""Distance and level: what is far away is quieter, duller, and more of the room; a note has a level of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.score.controllers import BY_EXPRESSION
from cmaudio.score.events import Expression
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.score.midi_writer import event_message
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.distance import diffuse_level, direct_gain

BREATHY = "pad 1 (new age)"
SAMPLES = 24_000


class Ears:
    """Keeps the power of what arrives directly and of what is sent to the reverb."""

    silent = True

    def __init__(self) -> None:
        self.direct = self.sent = 0.0

    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        self.direct += float(np.square(main).sum())
        self.sent += float(np.square(sends.get("reverb", 0)).sum())

    def recover(self) -> None: ...


def heard(model: Model, **expression: float) -> tuple[float, float, Float]:
    """Power of the direct sound and of the reverb's, and the samples, of half a second."""
    engine, ears = Engine(model, channels=2), Ears()
    engine.effects = ears
    note = engine.note_on(60, 90, timbre=BREATHY, seed=1, at=0)
    for name, value in expression.items():
        note.express(name, value, 0, at=0)
    samples = engine.read(SAMPLES)
    return ears.direct, ears.sent, samples


@pytest.mark.parametrize("distance", [0.25, 0.5, 1.0])
def test_what_is_far_is_quieter_and_more_of_the_room(model: Model, distance: float) -> None:
    near, silence, _ = heard(model)
    direct, sent, _ = heard(model, distance=distance)
    assert silence == 0
    # The air takes some of the highs as well.
    assert -24 * distance - 3 < 10 * np.log10(direct / near) <= -24 * distance + 0.1
    assert sent / direct > (diffuse_level(distance) / direct_gain(distance)) ** 2 * 0.9


def test_air_takes_the_highs(model: Model) -> None:
    def high_share(samples: Float) -> float:
        power = np.square(np.abs(np.fft.rfft(np.hanning(SAMPLES) * samples[:, 0])))
        return float(power[SAMPLES // 12 :].sum() / power.sum())  # above 4 kHz

    assert high_share(heard(model, distance=1)[2]) < 0.5 * high_share(heard(model)[2])


def test_at_no_distance_nothing_changes(model: Model) -> None:
    np.testing.assert_array_equal(heard(model, distance=0, level=0)[2], heard(model)[2])


@pytest.mark.parametrize("level_db", [-48.0, -6.0, 12.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_level_is_one_of_a_note(model: Model, channels: int, level_db: float) -> None:
    def struck(level: float) -> Float:
        engine = Engine(model, channels=channels, gain_db=-12)
        engine.note_on(60, 90, timbre=BREATHY, seed=1, at=0).express("level", level, 0, at=0)
        return engine.read(SAMPLES)

    expected = struck(0) * 10 ** (level_db / 20)
    np.testing.assert_allclose(struck(level_db)[200:], expected[200:], atol=1e-5)


def test_a_moving_distance_has_no_steps(model: Model) -> None:
    def steps(to: float) -> Float:
        engine = Engine(model, channels=2)
        engine.effects = Ears()
        note = engine.note_on(60, 90, timbre="whistle", seed=1, at=0)
        note.express("distance", to, 0.05, at=12_000)
        return np.abs(np.diff(engine.read(SAMPLES)[11_000:], 2, axis=0)).max(0)

    assert (steps(0.8) < 1.5 * steps(0)).all()


@pytest.mark.parametrize("name", sorted(EXPRESSIONS.keys() - {"pressure"}))
def test_every_expression_has_a_controller_for_midi_files(name: str) -> None:
    message = event_message(Expression(0, name, EXPRESSIONS[name].max), 2)
    assert (message.control, message.value) == (BY_EXPRESSION[name], 127)
