"""The notation of patterns: what it means, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fixtures.clock_rig import ClockRig
from hypothesis import given
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.score.pitch import note_number
from cmaudio.timing.steps import Step


@pytest.mark.parametrize(
    ("notes", "changes", "told"),
    [
        ([], {}, "needs at least one step"),
        ("C4 E4", {}, "a pattern must be a list of notes"),
        (60, {}, "a pattern must be a list of notes"),
        ([60, "H4"], {}, 'step 2 of the pattern: a note name must be from "C-1" to "G9"'),
        ([60, 128], {}, "step 2 of the pattern: pitch must be a number from 0 to 127"),
        ([True], {}, "step 1 of the pattern: pitch must be"),
        (["_"], {}, "there is none"),
        ([(60, None)], {}, "a chord must be a tuple of notes"),
        ([{"pich": 60}], {}, "a step needs a pitch and may have beats, velocity"),
        ([Step(60, beats=0)], {}, "beats must be a number from 0.015625"),
        ([Step(60, probability=2)], {}, "probability must be a number from 0 to 1"),
        ([Step(60, velocity=0)], {}, "velocity must be a number from 1 to 127"),
        ([Step(60, timbre="frist")], {}, "unknown timbre 'frist'"),
        ([60], {"timbre": "frist"}, "unknown timbre 'frist'"),
        ([60], {"swing": 1}, "swing must be a number from 0 to 0.9"),
        ([60], {"velocity": [100, 0]}, "velocity must be"),
        ([60], {"velocity": []}, "not an empty list"),
        ([60], {"gate": -1}, "gate must be"),
        ([60], {"seed": 0.5}, "seed must be a whole number"),
        ([60], {"quantise": -1}, "quantise must be"),
        ([60], {"at": -1}, "at must be"),
        ([60], {"swng": 0.1}, "a pattern has no setting 'swng'; available: beat, velocity"),
    ],
)
def test_invalid_patterns_are_refused(rig: ClockRig, notes: Any, changes: Any, told: str) -> None:
    with pytest.raises(CmaudioError, match=told):
        rig.clock.play(notes, **changes)
    assert rig.engine.idle


@given(st.text(max_size=6))
def test_any_text_is_a_note_name_or_a_clear_error(name: str) -> None:
    try:
        number = note_number(name)
    except CmaudioError:
        with pytest.raises(CmaudioError, match=re.escape(repr(name))):
            note_number(name)
    else:
        assert 0 <= number <= 127


def test_names_of_notes() -> None:
    names = {"C4": 60, "F#3": 54, "Bb2": 46, "c-1": 0, "G9": 127, "Cb4": 59, "E##2": 42, "A♭4": 68}
    assert {name: note_number(name) for name in names} == names
