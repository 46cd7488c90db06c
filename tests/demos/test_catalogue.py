"""The demo pieces: found by name, complete as scores, and audible."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cmaudio.demos import DEMOS, find_demo
from cmaudio.demos.piece import ClockDemo, Demo, ScoreDemo, TextDemo
from cmaudio.errors import CmaudioError
from cmaudio.model.file import embedded_models, load_model
from cmaudio.offline.pattern import render_pattern
from cmaudio.score.arrangement import arrange
from cmaudio.score.events import NoteOff, NoteOn, Score
from cmaudio.score.midi_file import read_midi, write_midi

SCORES = [demo for demo in DEMOS.values() if isinstance(demo, ScoreDemo)]
CLOCKS = [demo for demo in DEMOS.values() if isinstance(demo, ClockDemo)]


def name_of(demo: Demo) -> str:
    return demo.name


def test_there_is_one_for_each_thing_that_the_project_does() -> None:
    assert len(DEMOS) == 7
    assert any(isinstance(demo, TextDemo) for demo in DEMOS.values())
    assert any(demo.notes().percussion for demo in SCORES)
    assert {demo.model for demo in DEMOS.values()} <= set(embedded_models())


@pytest.mark.parametrize(("wanted", "name"), [("pocket", "pocket"), ("Small machines", "machines"), ("GLASS", "glass")])
def test_they_are_found_by_name_and_title(wanted: str, name: str) -> None:
    assert find_demo(wanted).name == name


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("poket", "near: pocket"), ("chine", "near: machines"), ("", "there are evening, pocket"), ("!!", "'!!'")],
)
def test_others_are_refused_with_the_nearest(wanted: str, said: str) -> None:
    with pytest.raises(CmaudioError, match=said):
        find_demo(wanted)


def held(score: Score) -> Sequence[tuple[int, int]]:
    """Channel and key of what is still held at the end, or struck while it is held."""
    sounding: set[tuple[int, int]] = set()
    for _, event in score.events:
        if isinstance(event, NoteOn):
            assert (event.channel, event.pitch) not in sounding
            sounding.add((event.channel, event.pitch))
        elif isinstance(event, NoteOff):
            sounding.remove((event.channel, event.pitch))
    return sorted(sounding)


@pytest.mark.parametrize("demo", SCORES, ids=name_of)
def test_scores_are_in_order_and_survive_a_midi_file(demo: ScoreDemo, tmp_path: Path) -> None:
    score = demo.notes()
    times = [time for time, _ in score.events]
    assert times == sorted(times)
    assert 20 <= score.duration == times[-1] <= 40
    assert held(score) == []
    write_midi(tmp_path / "piece.mid", score)
    again = read_midi(tmp_path / "piece.mid")
    assert set(again.programs) == set(score.programs)
    assert set(again.percussion) == set(score.percussion)
    assert again.duration == pytest.approx(score.duration, abs=0.01)


@pytest.mark.parametrize("demo", SCORES, ids=name_of)
def test_the_embedded_instrument_lacks_nothing_for_the_scores(demo: ScoreDemo) -> None:
    assert arrange(demo.notes(), load_model(demo.model)).notices == []


@pytest.mark.parametrize("demo", CLOCKS, ids=name_of)
def test_pieces_for_a_clock_sound_and_repeat(demo: ClockDemo) -> None:
    beats = 3.0
    first, again = (render_pattern(demo.perform, beats, tempo=demo.tempo, model=demo.model) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert 0.02 < np.abs(first).max() < 1


@pytest.mark.parametrize("name", ["glass", "lamp"])
def test_what_is_no_score_has_no_midi_file(name: str) -> None:
    with pytest.raises(CmaudioError, match=rf"name a sound file, such as {name}\.wav"):
        find_demo(name).notes()
