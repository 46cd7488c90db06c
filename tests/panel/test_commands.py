"""Commands as JSON: every valid one is accepted as it is, everything else is refused."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.panel.commands import MAX_VARIATIONS, Command, parse_command
from cmaudio.timing.tempo import TEMPO_RANGE

Fields = dict[str, Any]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
pitches, places = st.integers(0, 127), st.floats(-1, 1)
names = st.text(min_size=1, max_size=200)
indices = st.integers(0, 63)
short = st.text(min_size=1, max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False)
# By kind: the fields that must be there, and those that may.
FIELDS: dict[str, tuple[Fields, Fields]] = {
    "set": ({"name": names, "value": numbers}, {"held": st.booleans()}),
    "learn": ({"name": names | st.none()}, {}),
    "place": ({"x": places, "y": places}, {}),
    "timbre": ({"name": names}, {}),
    "press": ({"pitch": pitches, "velocity": st.integers(1, 127)}, {}),
    "lift": ({"pitch": pitches}, {}),
    "pad": ({"pitch": pitches, "velocity": st.integers(1, 127)}, {}),
    "lift_pad": ({"pitch": pitches}, {}),
    "sustain": ({"down": st.booleans()}, {}),
    "seed": ({"seed": st.integers(0, 2**63 - 1) | st.none()}, {}),
    "lock": ({"locked": st.booleans()}, {}),
    "preset": ({"name": names}, {}),
    "save_preset": (
        {"name": names},
        {"description": st.text(max_size=200), "tags": st.lists(st.text(max_size=24), max_size=8)},
    ),
    "audition": ({"name": st.none() | names}, {"what": st.sampled_from(["timbre", "preset"])}),
    "sequencer": (
        {"action": st.sampled_from(["play", "play_song", "stop", "record", "stop_recording"])},
        {"strength": st.floats(0, 1)},
    ),
    "pattern": ({"action": st.sampled_from(["select", "add", "copy"]), "pattern": short}, {}),
    "set_pattern": ({"pattern": short}, {"length": st.none() | st.integers(), "swing": st.none() | numbers}),
    "add_lane": ({"pattern": short}, {"timbre": st.none() | short, "pad": st.none() | short}),
    "lane": ({"action": st.sampled_from(["mute", "unmute", "remove"]), "pattern": short, "lane": short}, {}),
    "step": ({"pattern": short, "lane": short, "index": st.integers(0, 15), "step": st.none()}, {}),
    "change_step": (
        {"pattern": short, "lane": short, "index": st.integers(0, 15)},
        {
            "louder": st.none() | st.integers(-126, 126),
            "gate": st.none() | numbers,
            "ratchets": st.none() | st.integers(),
        },
    ),
    "automate": ({"action": st.sampled_from(["add", "smooth"]), "pattern": short, "control": short}, {}),
    "automation": ({"pattern": short, "control": short, "index": st.integers(0, 15), "value": st.none() | numbers}, {}),
    "tempo": ({"tempo": st.floats(*TEMPO_RANGE)}, {}),
    "arpeggiator": (
        {},
        {"on": st.none() | st.booleans(), "octaves": st.none() | st.integers(), "hold": st.none() | st.booleans()},
    ),
    "export": ({"format": st.sampled_from(["mid", "py", "json"])}, {"song": st.booleans()}),
    "add_part": ({"pattern": short}, {}),
    "part": ({"action": st.sampled_from(["earlier", "later", "remove"]), "index": indices, "pattern": short}, {}),
    "part_rounds": ({"index": indices, "pattern": short, "rounds": st.integers(1, 16)}, {}),
    "click": ({"on": st.booleans()}, {}),
    "loop_song": ({"on": st.booleans()}, {}),
    "route": ({"modulator": names, "control": names, "amount": numbers}, {}),
    "keep": ({"seconds": st.floats(1, 300)}, {}),
    "say": ({"text": st.text(min_size=1, max_size=4000)}, {}),
    "vary": (
        {"what": st.sampled_from(["seeds", "places"]), "count": st.integers(1, MAX_VARIATIONS)},
        {
            "timbre": names | st.none(),
            "radius": st.floats(0, 1, exclude_min=True),
            "phrase": st.sampled_from(["note", "motif", "played"]),
            "pitch": pitches,
            "seconds": st.floats(0.2, 30),
            "text": st.text(max_size=1000),
            "loudness": st.floats(-60, -6) | st.none(),
        },
    ),
    "space": ({"file": names | st.none()}, {}),
    "device": ({"name": names | st.none()}, {}),
    "delete": ({"file": names}, {}),
    "learn_sound": ({"file": names}, {}),
    "rename": ({"file": names, "name": names}, {}),
    **dict.fromkeys(("store", "recall"), ({"slot": st.sampled_from(["A", "B"])}, {})),
    **dict.fromkeys(("roll", "reset", "panic", "record", "stop", "hush", "cancel", "devices"), ({}, {})),
    **dict.fromkeys(("link", "unlink", "undo", "redo", "neighbour", "example", "read"), ({}, {})),
    "favourite": (
        {"what": st.sampled_from(["timbre", "preset", "file"]), "name": names, "on": st.booleans()},
        {},
    ),
}
commands = st.one_of(
    *(
        st.fixed_dictionaries(
            {"kind": st.just(kind), **required}, optional=optional | {"gesture": st.text(max_size=40)}
        )
        for kind, (required, optional) in FIELDS.items()
    )
)


def test_the_strategies_cover_every_kind() -> None:
    kinds = [get_args(command.model_fields["kind"].annotation) for command in get_args(Command)]
    assert sorted(kind for some in kinds for kind in some) == sorted(FIELDS)


@given(commands)
def test_a_valid_command_is_accepted_as_it_is(fields: Fields) -> None:
    assert parse_command(json.dumps(fields)).model_dump(exclude_unset=True) == fields


@given(commands, st.data())
def test_a_command_without_a_required_field_is_refused(fields: Fields, data: st.DataObject) -> None:
    missing = data.draw(st.sampled_from(["kind", *FIELDS[fields["kind"]][0]]))
    with pytest.raises(CmaudioError, match="not understood"):
        parse_command(json.dumps({name: value for name, value in fields.items() if name != missing}))


@given(commands, st.text(max_size=8), json_values)
def test_a_changed_field_is_refused_or_accepted_as_it_is(fields: Fields, name: str, value: Any) -> None:
    for changed in ({**fields, name: value}, {**fields, sorted(fields)[len(name) % len(fields)]: value}):
        try:
            command = parse_command(json.dumps(changed))
        except CmaudioError:
            continue
        assert command.model_dump(exclude_unset=True) == changed


@given(st.binary(max_size=80) | json_values.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(CmaudioError, match="not understood"):
        parse_command(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "press", "pitch": 128, "velocity": 90},
        {"kind": "press", "pitch": "60", "velocity": 90},
        {"kind": "press", "pitch": 60.5, "velocity": 90},
        {"kind": "press", "pitch": 60, "velocity": 0},
        {"kind": "press", "pitch": 60, "velocity": 90, "loud": True},
        {"kind": "place", "x": 3, "y": 0},
        {"kind": "set", "name": "gain", "value": float("nan")},
        {"kind": "seed", "seed": 2**63},
        {"kind": "keep", "seconds": 301},
        {"kind": "say", "text": ""},
        {"kind": "vary", "what": "seeds", "count": MAX_VARIATIONS + 1},
        {"kind": "store", "slot": "C"},
        {"kind": "gone"},
        {"kind": "listen", "on": False},
        {"kind": "explode"},
    ],
    ids=json.dumps,
)
def test_values_out_of_range_and_unknown_kinds_are_refused(fields: Fields) -> None:
    with pytest.raises(CmaudioError, match="not understood"):
        parse_command(json.dumps(fields))
