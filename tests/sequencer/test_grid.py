"""Patterns as data: short notation, strict values with clear errors, files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.sequencer import (
    AutomationLane,
    GridPattern,
    GridStep,
    Lane,
    PatternBank,
    load_bank,
    note_lane,
    pad_lane,
    save_bank,
)
from cmaudio.sequencer.grid import nearest_step
from cmaudio.timing.steps import swung

NAMED: dict[str, Any] = {"pitches": "H4"}
LOUD: dict[str, Any] = {"loudness": 3}
FULL = PatternBank(
    tempo=112.5,
    bar=3.0,
    patterns=(
        GridPattern(
            name="verse",
            length=12,
            division=1 / 6,
            swing=0.2,
            seed=2**62,
            lanes=(
                note_lane("bass", ["C2", None, ("Eb2", 43), "_", {"pitches": 60, "probability": 0.5}], timbre="violin"),
                pad_lane("side stick", "x.X|o--x", gate=0.3),
                Lane(name="mix", timbre={"violin": 0.3, "flute": 0.7}, channel=3, muted=True),
            ),
            automation=(AutomationLane(control="brightness", values={0: -2.0, 11: 3.5}, smooth=True),),
        ),
        GridPattern(name="B"),
    ),
)


def test_short_notation_gives_steps() -> None:
    lane = note_lane("x", [60, None, "Eb4", ("C4", "G4"), "_", GridStep(pitches=(40,), ratchets=3)], velocity=70)
    assert {i: (s.pitches, s.velocity, s.gate, s.ratchets) for i, s in lane.steps.items()} == {
        0: ((60,), 70, 0.9, 1),
        2: ((63,), 70, 0.9, 1),
        3: ((60, 67), 70, 1.9, 1),
        5: ((40,), 96, 0.9, 3),
    }
    drum = pad_lane("snare", "x..X | o-")
    assert (drum.name, drum.pad, {i: s.velocity for i, s in drum.steps.items()}) == (
        "snare",
        "snare",
        {0: 96, 3: 120, 4: 60},
    )


def test_a_file_gives_the_same_patterns(tmp_path: Path) -> None:
    path = save_bank(FULL, tmp_path / "song.json")
    assert load_bank(path) == FULL
    save_bank(PatternBank(), path)
    assert load_bank(path).names == ["A"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: GridStep(velocity=0), "velocity"),
        (lambda: GridStep(pitches=(128,)), "pitches.0"),
        (lambda: GridStep(**NAMED), '"C4" is 60'),
        (lambda: GridStep(gate=0), "gate"),
        (lambda: GridStep(probability=1.1), "probability"),
        (lambda: GridStep(ratchets=9), "ratchets"),
        (lambda: GridStep(shift=-0.6), "shift"),
        (lambda: GridStep(velocity=True), "velocity"),
        (lambda: GridStep(**LOUD), "known are pitches, velocity"),
        (lambda: Lane(name="x", timbre="a", pad="b"), "not both"),
        (lambda: Lane(name="x", timbre={"a": 0.0}), "weight"),
        (lambda: Lane(name="x", steps={4: GridStep()}), "step 4 has none"),
        (lambda: Lane(name="x", steps={64: GridStep(pitches=(60,))}), "less than 64"),
        (lambda: Lane(name="a/b"), "name"),
        (lambda: GridPattern(name="A", length=65), "length"),
        (lambda: GridPattern(name="A", division=0), "division"),
        (lambda: GridPattern(name="A", lanes=(Lane(name="x"), Lane(name="x"))), "two lanes are called 'x'"),
        (lambda: PatternBank(patterns=()), "patterns"),
        (lambda: PatternBank(patterns=(GridPattern(name="A"),) * 2), "two patterns are called 'A'"),
        (lambda: PatternBank(tempo=1000), "tempo"),
        (lambda: note_lane("bass", [60, "H4"]), "step 2 of lane 'bass'"),
        (lambda: note_lane("bass", ["_"]), "holds the note before it"),
        (lambda: pad_lane("kick", "x.z"), '"x", "X", "o" and "."'),
        (lambda: FULL.pattern("versus"), "the nearest are 'verse'"),
        (lambda: FULL.patterns[0].lane("base"), "the nearest are 'bass'"),
        (lambda: PatternBank().without_pattern("A"), "only one"),
    ],
)
def test_what_is_invalid_is_named(make: Callable[[], object], told: str) -> None:
    with pytest.raises(CmaudioError) as error:
        make()
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not a file of patterns"),
        ('{"version": 2}', "version"),
        (
            '{"patterns": [{"name": "A", "lanes": [{"name": "x", "steps": {"3": {"velocity": 300}}}]}]}',
            "0.lanes.0.steps.3.velocity",
        ),
        ('{"patterns": [{"name": "A", "colour": 1}]}', "patterns.0.colour"),
        ('{"patterns": [{"name": "A", "swing": "much"}]}', "patterns.0.swing"),
        ('{"patterns": [{"name": "A", "swing": NaN}]}', "swing"),
    ],
)
def test_a_file_that_is_invalid_is_refused_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "song.json"
    path.write_text(text)
    with pytest.raises(CmaudioError) as error:
        load_bank(path)
    assert told in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path, what: str) -> None:
    path = tmp_path / "none" / "song.json" if what == "missing" else tmp_path
    with pytest.raises(CmaudioError, match="cannot be read"):
        load_bank(path)
    with pytest.raises(CmaudioError):
        save_bank(FULL, path)


@pytest.mark.parametrize(
    ("smooth", "place", "value"),
    [
        (False, 0, 1.0), (False, 1, None), (False, 4, 3.0), (False, 4.5, None),
        (True, 0, 1.0), (True, 2, 2.0), (True, 3.5, 2.75), (True, 6, 2.0), (True, 7, 1.5),
    ],
)  # fmt: skip
def test_automation_holds_values_or_moves_between_them(smooth: bool, place: float, value: float | None) -> None:
    lane = AutomationLane(control="brightness", values={0: 1.0, 4: 3.0, 20: 9.0}, smooth=smooth)
    assert lane.value_at(place, 8) == value


def test_steps_and_lanes_are_set_and_removed() -> None:
    pattern = FULL.patterns[0]
    lane = pattern.lane("bass").with_step(1, GridStep(pitches=(50,))).with_step(0, None)
    changed = pattern.with_lane(lane).with_lane(Lane(name="new")).without_lane("mix")
    assert list(changed.lane("bass").steps) == [1, 2, 4]
    assert [each.name for each in changed.lanes] == ["bass", "side stick", "new"]
    assert pattern.lane("bass").steps.keys() == {0, 2, 4}, "as it was"
    moved = AutomationLane(control="brightness", values={}).with_value(3, 1.0).with_value(3, None).with_value(2, 2.0)
    assert changed.with_automation(moved).automation == (moved,)
    assert changed.without_automation("brightness").automation == ()


@pytest.mark.parametrize("swing", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("late", [-0.04, 0.0, 0.04])
def test_the_nearest_step_is_found_through_swing(swing: float, late: float) -> None:
    for step in range(-3, 6):
        found, off = nearest_step(swung(step, swing) + late, swing)
        assert found == step
        assert off == pytest.approx(late)
