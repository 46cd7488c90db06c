"""The arpeggiator: the order of keys by mode and octaves, and their time, length, swing and hold."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from fixtures.clock_rig import BEAT, ClockRig

from cmaudio.errors import CmaudioError
from cmaudio.score.events import NoteOff, NoteOn
from cmaudio.sequencer.arpeggiator import Arpeggiator
from cmaudio.sequencer.arpeggio import Arpeggio, HeldKey, keys_of_step

STEP = BEAT // 4
PLAYED = [HeldKey(64), HeldKey(60), HeldKey(67)]


@pytest.mark.parametrize(
    ("fields", "pitches"),
    [
        ({"mode": "up"}, [60, 64, 67, 60]),
        ({"mode": "down"}, [67, 64, 60, 67]),
        ({"mode": "up-down"}, [60, 64, 67, 64, 60, 64]),
        ({"mode": "played"}, [64, 60, 67, 64]),
        ({"mode": "up", "octaves": 2}, [60, 64, 67, 72, 76, 79, 60]),
        ({"mode": "down", "octaves": 2}, [79, 76, 72, 67, 64, 60, 79]),
        ({"mode": "chord"}, [60, 64, 67, 60, 64, 67]),
        ({"mode": "chord", "octaves": 2}, [60, 64, 67, 72, 76, 79, 60, 64, 67]),
    ],
)
def test_keys_come_in_the_order_of_the_mode(fields: dict[str, Any], pitches: list[int]) -> None:
    steps = range(len(pitches))
    found = [key.pitch for number in steps for key in keys_of_step(Arpeggio(**fields), PLAYED, number)]
    assert found[: len(pitches)] == pitches


def test_a_random_order_depends_on_the_seed_alone() -> None:
    def order(seed: int) -> list[int]:
        arpeggio = Arpeggio(mode="random", octaves=2, seed=seed)
        return [keys_of_step(arpeggio, PLAYED, number)[0].pitch for number in range(40)]

    assert order(1) == order(1) != order(2)
    assert set(order(1)) == {60, 64, 67, 72, 76, 79}


@pytest.mark.parametrize("mode", ["up", "down", "up-down", "played", "random", "chord"])
@pytest.mark.parametrize("held", [[], [HeldKey(127)], [HeldKey(120), HeldKey(0)]])
def test_few_and_high_keys_stay_in_range(mode: str, held: list[HeldKey]) -> None:
    arpeggio = Arpeggio.model_validate({"mode": mode, "octaves": 4})
    pitches = [key.pitch for number in range(20) for key in keys_of_step(arpeggio, held, number)]
    assert all(0 <= pitch <= 127 for pitch in pitches)
    assert bool(pitches) == bool(held)


def arpeggiating(rig: ClockRig, *pitches: int, **fields: Any) -> Arpeggiator:
    arpeggiator = Arpeggiator(rig.clock)
    arpeggiator.change(on=True, **fields)
    for pitch in pitches:
        arpeggiator.press(HeldKey(pitch, 80, 2, "second"))
    return arpeggiator


def test_held_keys_are_played_in_time_until_they_are_lifted(rig: ClockRig) -> None:
    rig.read_to(1000)
    start = rig.engine.now
    arpeggiator = arpeggiating(rig, 60, 64, gate=0.5)
    rig.read_to(start + 3.6 * STEP)
    arpeggiator.lift(60, 2)  # the next step is scheduled already
    assert arpeggiator.keys == [64]
    rig.read_to(start + 7.6 * STEP)
    assert arpeggiator.lift(64, 2)
    assert not arpeggiator.lift(64, 2)
    rig.read_to(start + 12 * STEP)
    assert [((at - start) / STEP, pitch) for at, pitch in rig.onsets] == [
        (0, 60), (1, 64), (2, 60), (3, 64), (4, 60), (5, 64), (6, 64), (7, 64),
    ]  # fmt: skip
    assert [(at - start) / STEP for at, _ in rig.events(NoteOff)][:8] == [i + 0.5 for i in range(8)]
    assert {(e.channel, e.velocity, e.program) for _, e in rig.events(NoteOn)} == {(2, 80, 1)}


@pytest.mark.parametrize(
    ("fields", "onsets"),
    [({"rate": 1 / 2}, [0, 2, 4, 6]), ({"swing": 0.5}, [0, 1.5, 2, 3.5]), ({"rate": 1 / 3}, [0, 4 / 3, 8 / 3, 4])],
)
def test_rate_and_swing_give_the_onsets(rig: ClockRig, fields: dict[str, Any], onsets: list[float]) -> None:
    arpeggiating(rig, 60, gate=0.2, **fields)
    rig.read_to(8 * STEP)
    assert [at / STEP for at, _ in rig.onsets][:4] == pytest.approx(onsets, abs=1e-3)


def test_the_first_key_waits_for_the_step_where_something_plays(rig: ClockRig) -> None:
    rig.clock.play([40], loop=True, gate=0.1, quantise=0)
    rig.read_to(2.3 * STEP)
    arpeggiating(rig, 60)
    rig.read_to(5 * STEP)
    assert [at / STEP for at, pitch in rig.onsets if pitch == 60] == [3, 4]


def test_held_notes_go_on_until_others_are_pressed(rig: ClockRig) -> None:
    arpeggiator = arpeggiating(rig, 60, hold=True, gate=0.3)
    arpeggiator.press(HeldKey(64))
    arpeggiator.lift(60, 2)
    arpeggiator.lift(64)
    rig.read_to(4.5 * STEP)
    assert len(rig.onsets) >= 4
    assert arpeggiator.keys == [60, 64]
    arpeggiator.press(HeldKey(72))
    assert arpeggiator.keys == [72]
    arpeggiator.lift(72)
    arpeggiator.change(hold=False)
    rig.read_to(10 * STEP)
    assert arpeggiator.keys == []
    assert rig.no_note_hangs()


@pytest.mark.parametrize("ending", ["off", "clear", "channel", "clock"])
def test_nothing_hangs_however_it_ends(rig: ClockRig, ending: str) -> None:
    arpeggiator = arpeggiating(rig, 60, 64, mode="chord", gate=2.0)
    rig.read_to(2.5 * STEP)
    if ending == "off":
        arpeggiator.change(on=False)
    elif ending == "clear":
        arpeggiator.clear()
    elif ending == "channel":
        arpeggiator.clear(3)
        assert arpeggiator.keys == [60, 64]
        arpeggiator.clear(2)
    else:
        rig.clock.clear()
    rig.read_to(6.5 * STEP)
    assert rig.no_note_hangs()
    assert max(at for at, _ in rig.onsets) <= 3 * STEP
    rig.read_to(8 * STEP)
    arpeggiator.change(on=True)
    arpeggiator.clear()
    arpeggiator.press(HeldKey(70))
    rig.read_to(10 * STEP)
    assert rig.onsets[-1][1] == 70


def test_the_rate_changes_while_it_plays(rig: ClockRig) -> None:
    arpeggiator = arpeggiating(rig, 60, gate=0.2)
    rig.read_to(3.5 * STEP)
    arpeggiator.change(rate=1 / 2)
    rig.read_to(12 * STEP)
    onsets = [at / STEP for at, _ in rig.onsets][-3:]
    assert [b - a for a, b in pairwise(onsets)] == [2, 2]
    rig.clock.stop()
    rig.read_to(13 * STEP)
    rig.clock.start(0)
    there = rig.engine.now
    rig.read_to(there + STEP)
    assert (there, 60) in rig.onsets


@pytest.mark.parametrize(
    "fields",
    [{"mode": "sideways"}, {"octaves": 0}, {"octaves": 5}, {"rate": 0}, {"gate": 9.0}, {"speed": 2}, {"on": 1}],
)
def test_invalid_settings_are_refused_and_nothing_changes(rig: ClockRig, fields: dict[str, Any]) -> None:
    arpeggiator = Arpeggiator(rig.clock)
    with pytest.raises(CmaudioError) as error:
        arpeggiator.change(**fields)
    assert next(iter(fields)) in str(error.value)
    assert arpeggiator.settings == Arpeggio()
