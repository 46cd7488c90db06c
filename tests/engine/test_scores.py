"""Scores played by the engine."""

from __future__ import annotations

import numpy as np
from fixtures.engine import (
    RATE,
    STEADY,
    rms,
)

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.score.events import AllNotesOff, ChannelGain, NoteOff, NoteOn, PitchBend, Score, Sustain
from cmaudio.score.ranges import BEND_MAX_SEMITONES


def test_a_score_plays_as_its_events_say(model: Model) -> None:
    score = Score(
        "test",
        [
            (0.0, ChannelGain(0, 0.5)),
            (0.01, NoteOn(0, 60, 90, 40)),
            (0.02, NoteOn(0, 64, 90, 3)),  # no timbre for this program: left out
            (0.05, PitchBend(0, 99.0)),
            (0.06, Sustain(0, True)),
            (0.1, NoteOff(0, 60)),
            (0.12, NoteOn(0, 60, 80, 40)),  # struck again under the pedal
            (0.2, Sustain(0, False)),
            (0.3, AllNotesOff(0)),
        ],
        0.3,
    )
    engine = Engine(model, channels=1, seed=4)
    engine.play(score, {40: "violin"}, at=100)
    found = engine.read(24_000)

    other = Engine(model, channels=1, seed=4)
    other.channel_gain(0.5, at=100)
    first = other.note_on(60, 90, timbre="violin", at=100 + 480)
    other.bend(BEND_MAX_SEMITONES, at=100 + 2400)
    other.sustain(True, at=100 + 2880)
    first.off(at=100 + 4800)
    second = other.note_on(60, 80, timbre="violin", at=100 + 5760)
    other.sustain(False, at=100 + 9600)
    second.off(at=100 + 14_400)
    expected = other.read(24_000)
    assert rms(expected) > 0.001
    np.testing.assert_array_equal(found, expected)


def test_a_key_pressed_twice_releases_its_first_note(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.play(Score("", [(0.0, NoteOn(0, 60, 90, 16)), (0.1, NoteOn(0, 60, 90, 16))], 0.1), {16: STEADY})
    engine.read(RATE)
    assert engine.state().voices == 1
