"""Reverb and echoes at the end of a render."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmaudio.model.file import Model
from cmaudio.offline.render import RINGING_SECONDS, TAIL_SECONDS, render
from cmaudio.score.events import Expression, NoteOff, NoteOn, Score

RATE = 48_000


def short_note(sent: dict[str, float]) -> Score:
    """0.2 s of a whistle on a channel that sends this much."""
    events = [(0.0, Expression(0, name, value)) for name, value in sent.items()]
    return Score("note", [*events, (0.0, NoteOn(0, 72, 100, 78)), (0.2, NoteOff(0, 72))], 0.2, [78])


def length(sent: dict[str, float], model: Model, **settings: object) -> float:
    """Seconds of the render of a short note."""
    return len(render(short_note(sent), model=model, **settings)) / RATE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "controls", "least", "most"),
    [
        ({}, {}, 0.2, 1.5),
        ({"reverb": 0.5}, {"reverb_decay": 6}, 6, 15),
        ({"delay": 0.5}, {"delay_beats": 2, "delay_feedback": 0.6}, 6, 30),
        ({"chorus": 0.5}, {}, 0.2, 1.5),
    ],
    ids=["dry", "reverb", "delay", "chorus"],
)
def test_a_tail_rings_out(
    model: Model, sent: dict[str, float], controls: dict[str, float], least: float, most: float
) -> None:
    assert least < length(sent, model, controls=controls) < most


def test_a_tail_without_end_is_faded_out_and_told_once(model: Model, tmp_path: Path) -> None:
    told: list[str] = []
    settings: dict[str, object] = {"controls": {"delay_beats": 8, "delay_feedback": 0.95, "delay_damping": 0}}
    sound = render(short_note({"delay": 1}), model=model, stems=tmp_path, on_notice=told.append, **settings)  # type: ignore[arg-type]
    assert len(sound) / RATE == pytest.approx(0.2 + TAIL_SECONDS + RINGING_SECONDS, abs=0.01)
    assert told == ["the effects still ring 60 s after the notes: their tail is faded out"]
    assert np.abs(sound[-RATE // 10 :]).max() < 0.06 * np.abs(sound[-8 * RATE : -2 * RATE]).max()
    parts = sum(soundfile.read(path, dtype="float32")[0] for path in tmp_path.glob("*.wav"))
    np.testing.assert_allclose(parts, sound, atol=1e-5)


def test_a_tail_of_none_ends_at_once(model: Model) -> None:
    assert length({"reverb": 0.5}, model, tail=0) == 0.2


def test_a_file_and_its_settings_give_the_same_samples_again(model: Model) -> None:
    renders = [render(short_note({"reverb": 0.5, "chorus": 0.5, "delay": 0.5}), model=model, seed=3) for _ in range(2)]
    assert np.array_equal(renders[0], renders[1])


def test_one_channel_stays_dry(model: Model) -> None:
    score = short_note({"reverb": 0.5, "delay": 0.5})
    assert np.array_equal(render(score, model=model, channels=1), render(short_note({}), model=model, channels=1))


def test_an_impulse_response_of_a_file(model: Model, tmp_path: Path) -> None:
    echo = np.zeros((2 * RATE, 1))
    echo[-1] = 1
    soundfile.write(tmp_path / "echo.wav", echo, RATE)
    found = render(short_note({"reverb": 1.0}), model=model, impulse_response=tmp_path / "echo.wav")
    assert np.abs(found[2 * RATE :]).max() > 0.5 * np.abs(found[:RATE]).max()
