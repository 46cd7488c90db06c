"""Following a MIDI clock."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.clock_rig import RATE, ClockRig
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError


def pulses(rig: ClockRig, times: list[float], late_ms: float, seed: int) -> list[float]:
    """Send pulses at these seconds, each up to so much late; returns how many beats ahead the clock is each time."""
    rng, off = np.random.default_rng(seed), []
    for count, seconds in enumerate(times):
        arrived = seconds + rng.uniform(0, late_ms / 1000)
        rig.read_to(arrived * RATE)
        rig.clock.midi("pulse", arrived)
        off.append(rig.clock.map.beat_at(seconds * RATE) - count / 24)
    return off


@settings(max_examples=5, deadline=None)
@given(st.floats(50, 220), st.floats(1, 3), st.integers(0, 1000), st.booleans())
def test_clock_follows_jittering_pulses(tiny: TinyModel, tempo: float, late_ms: float, seed: int, before: bool) -> None:
    rig = ClockRig(tiny.model, polyphony=1)
    rig.clock.midi("stop", 0)
    rig.clock.play([30, *range(40, 80)], beat=1 / 4, gate=0.1, loop=True)
    interval, start = 60 / tempo / 24, 0.2
    if before:  # many send pulses while they rig
        pulses(rig, [start + k * interval for k in range(48)], late_ms, seed)
        assert rig.onsets == []
        assert rig.clock.tempo == pytest.approx(tempo, rel=0.03)
        start += 48 * interval
    else:
        rig.clock.tempo = min(400, tempo * 1.2)  # not quite
    rig.clock.midi("start", start - interval / 2)
    off = pulses(rig, [start + k * interval for k in range(24 * 7)], late_ms, seed + 1)
    seconds_off = np.array(off[24 * 4 :]) * 60 / tempo + late_ms / 2000
    assert np.abs(seconds_off).max() < 0.003, "off from the mean arrival, after four beats"
    assert rig.clock.following
    pitches = [pitch for _, pitch in rig.onsets]
    assert pitches == ([30, *range(40, 80)] * 3)[: len(pitches)], "no step twice, none left out"
    assert len(pitches) == pytest.approx(28, abs=2)
    assert rig.clock.dropped == 0


def test_clock_follows_a_new_tempo_and_keeps_it_when_pulses_end(rig: ClockRig) -> None:
    rig.clock.midi("stop", 0)
    rig.clock.midi("start", 0)
    rig.clock.play(list(range(20, 100)), beat=1 / 4, gate=0.1)
    times = np.cumsum([0.0] + [60 / 120 / 24] * 96 + [60 / 150 / 24] * 144)
    pulses(rig, times.tolist(), 1, 0)
    assert rig.clock.tempo == pytest.approx(150, rel=0.02)
    assert rig.clock.beat == pytest.approx(10, abs=0.03)
    rig.read_to(rig.engine.now + 2 * RATE)
    assert not rig.clock.following
    assert rig.clock.tempo == pytest.approx(150, rel=0.02)
    assert rig.clock.beat == pytest.approx(15, abs=0.1), "it goes on"
    back = rig.engine.now / RATE
    whole = np.round(rig.clock.beat * 24)
    for k in range(48):
        seconds = back + k * 60 / 150 / 24
        rig.read_to(seconds * RATE)
        rig.clock.midi("pulse", seconds)
    assert rig.clock.beat * 24 == pytest.approx(whole + 47, abs=0.6), "the nearest pulse is taken for it"
    pitches = [pitch for _, pitch in rig.onsets]
    assert pitches == list(range(20, 20 + len(pitches)))


def test_stop_song_position_and_continue(rig: ClockRig) -> None:
    rig.clock.play([60, 61, 62, 63], loop=True, gate=0.5)
    pulses(rig, [k / 48 for k in range(60)], 0, 0)
    rig.clock.midi("stop", 1.25)
    rig.clock.midi("position", 1.3, 4 * 4 + 8)  # six beats
    rig.read_to(2 * RATE)
    assert rig.clock.beat == 6
    assert rig.no_note_hangs()
    rig.clock.midi("continue", 2.0)
    pulses(rig, [2.1 + k / 48 for k in range(48)], 0, 0)
    assert [pitch for _, pitch in rig.onsets][-2:] == [62, 63]
    assert rig.onsets[-2][0] == pytest.approx(2.1 * RATE, abs=64)
    assert rig.clock.beat == pytest.approx(8, abs=0.05)
    with pytest.raises(CmaudioError, match="pulse, start, continue, stop, position, not 'tick'"):
        rig.clock.midi("tick", 0)
    rig.clock.offset_ms = -20
    with pytest.raises(CmaudioError, match="offset_ms"):
        rig.clock.offset_ms = 5000
