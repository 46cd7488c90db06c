"""The clock: tempo, start, stop and jumps; functions and glides at their beats; errors."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT, RATE, ClockRig

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.score.events import Expression
from cmaudio.timing.clock import Clock


def test_tempo_change_at_a_beat(rig: ClockRig) -> None:
    rig.clock.set_tempo(60, at=2)
    rig.clock.play([60], loop=True, gate=0.5)
    rig.read_to(6 * BEAT)
    assert [at / BEAT for at, _ in rig.onsets] == [0, 1, 2, 4, 6][: len(rig.onsets)]
    assert rig.clock.beat == pytest.approx(4, abs=0.01)
    assert rig.clock.sample(5) == 8 * BEAT


def test_function_changes_tempo_and_notes_at_its_beat(rig: ClockRig) -> None:
    loop = rig.clock.play([60], loop=True, gate=0.5)

    def turn(beat: float) -> None:
        if beat == 2:
            rig.clock.tempo = 60
            loop.replace([80])

    rig.clock.every(1, turn)
    rig.read_to(7 * BEAT - 500)
    assert rig.onsets == [(0, 60), (BEAT, 60), (2 * BEAT, 80), (4 * BEAT, 80), (6 * BEAT, 80)]


def test_live_tempo_changes_neither_jump_nor_repeat_steps(rig: ClockRig) -> None:
    rig.clock.play(list(range(40, 80)), beat=1 / 4, gate=0.5)
    for tempo in (200, 50, 150, 120):
        rig.read_to(rig.engine.now + RATE // 2)
        before = rig.clock.beat
        rig.clock.tempo = tempo
        assert rig.clock.beat == pytest.approx(before)
        assert rig.clock.tempo == tempo
    rig.read_to(8 * RATE)
    assert [pitch for _, pitch in rig.onsets] == list(range(40, 80)), "none twice, none left out"
    apart = np.diff([at for at, _ in rig.onsets])
    assert apart.min() >= RATE * 60 / 200 / 4 - 1
    assert apart.max() <= RATE * 60 / 50 / 4 + 1


def test_stop_and_resume(rig: ClockRig) -> None:
    rig.clock.play([60, 62, 64, 65], loop=True, gate=1.0)
    rig.read_to(1.5 * BEAT)
    rig.clock.stop()
    assert not rig.clock.running
    stood = rig.clock.beat
    rig.read_to(4 * BEAT)
    assert rig.clock.beat == stood == pytest.approx(1.5, abs=0.01)
    assert rig.no_note_hangs()
    assert len(rig.onsets) == 2
    with pytest.raises(CmaudioError, match="has no time while the clock is stopped"):
        rig.clock.sample(3)
    rig.clock.resume()
    start = rig.engine.now
    rig.read_to(6 * BEAT)
    assert rig.onsets[2:4] == [(start + round((2 - stood) * BEAT), 64), (start + round((3 - stood) * BEAT), 65)]


def test_notes_scheduled_before_a_stop_are_played_after_it(rig: ClockRig) -> None:
    rig.clock.play([60, 62], loop=True, gate=0.1)
    rig.read_to(BEAT - 300)  # the next note is on its way
    rig.clock.stop()
    rig.read_to(2 * BEAT)
    assert [pitch for _, pitch in rig.onsets] == [60]
    rig.clock.resume()
    start = rig.engine.now
    rig.read_to(3 * BEAT)
    assert rig.onsets[1][1] == 62
    assert rig.onsets[1][0] - start == pytest.approx(300, abs=64)


def test_start_and_locate(rig: ClockRig) -> None:
    called = list[float]()
    rig.clock.play([60, 62, 64], loop=True, gate=0.5)
    rig.clock.every(2, called.append)
    rig.read_to(4.5 * BEAT)
    rig.clock.start()
    start = rig.engine.now
    rig.read_to(start + 2 * BEAT - 2000)
    assert rig.onsets[-2:] == [(start, 60), (start + BEAT, 62)]
    assert called[:3] == [0, 2, 4]
    assert called[3:] == [0]
    rig.clock.locate(7)
    rig.read_to(rig.engine.now + 1.5 * BEAT)
    assert [pitch for _, pitch in rig.onsets[-2:]] == [62, 64], "steps 7 and 8"
    assert rig.clock.beat == pytest.approx(8.5, abs=0.02)


def test_functions_schedule_exactly_and_an_error_ends_only_one(rig: ClockRig) -> None:
    def strike(beat: float) -> None:
        rig.engine.press(round(40 + beat), at=rig.clock.sample(beat + 0.5))
        rig.clock.play([90], beat=1 / 4)

    def broken(beat: float) -> None:
        if beat == 2:
            raise ValueError("not today")

    rig.clock.every(2, strike)
    failing = rig.clock.every(1, broken)
    rig.read_to(6 * BEAT)
    expected = [(0, 90), (0.5, 40), (2, 90), (2.5, 42), (4, 90), (4.5, 44)]
    assert [(at / BEAT, pitch) for at, pitch in rig.onsets if at < 5 * BEAT] == expected
    assert rig.notices == ["broken every 1 beats ended: ValueError: not today"]
    assert not rig.clock.has(failing)


def test_glide_ends_on_its_beat_or_when_the_control_is_set(rig: ClockRig) -> None:
    rig.clock.play([60, "_", "_", "_", "_", "_"])
    rig.clock.glide("brightness", 3, beats=2, quantise=1)
    rig.read_to(3 * BEAT)
    moves = [(at, e.value) for at, e in rig.events(Expression) if e.name == "brightness"]
    assert moves[-1] == (2 * BEAT, 3)
    assert len(moves) == 48
    np.testing.assert_allclose([value for _, value in moves], [3 * at / (2 * BEAT) for at, _ in moves], atol=1e-3)
    rig.clock.glide("tempo", 60, beats=1, quantise=1)
    rig.clock.glide("resonance", 1, beats=4)
    rig.read_to(6 * BEAT)
    assert rig.clock.tempo == pytest.approx(60)
    rig.clock.controls.set("resonance", -0.5)
    rig.read_to(10 * BEAT)
    assert rig.clock.controls["resonance"] == -0.5


def test_patterns_stay_in_time_after_an_engine_panic(rig: ClockRig) -> None:
    rig.clock.play([60, 62], loop=True, gate=0.5)
    rig.read_to(1.2 * BEAT)
    rig.engine.panic()
    rig.clock.play([70], quantise=1)
    rig.read_to(3.5 * BEAT)
    assert rig.onsets[2:] == [(2 * BEAT, 60), (2 * BEAT, 70), (3 * BEAT, 62)]


def test_invalid_clock_settings_are_refused(rig: ClockRig, tiny_voice: Model) -> None:
    with pytest.raises(CmaudioError, match="no control 'bright'"):
        rig.clock.glide("bright", 1, 4)
    with pytest.raises(CmaudioError, match="brightness must be a number from -6 to 6"):
        rig.clock.glide("brightness", 7, 4)
    with pytest.raises(CmaudioError, match="tempo must be"):
        rig.clock.tempo = 1000
    with pytest.raises(CmaudioError, match="beats must be"):
        rig.clock.every(0, print)
    with pytest.raises(CmaudioError, match="is a text-to-speech voice and has no patterns"):
        Clock(Engine(tiny_voice)).play([60])


class Faulty:
    """A part of the clock that fails at one of its calls, from its third beat on."""

    priority, lasting = 0, False

    def __init__(self, call: str) -> None:
        self._fails, self._beat = call, 0

    def _do(self, call: str) -> None:
        if self._beat == 3 and call in (self._fails, "silence" if self._fails == "both" else ""):
            raise ArithmeticError(f"no {call}")

    def due(self) -> float:
        self._do("due")
        return self._beat

    def play(self, at: float) -> None:
        self._do("play" if self._fails != "both" else "both")
        self._beat += 1

    def begin(self, beat: float) -> None: ...

    def seek(self, beat: float, jumped: bool) -> None: ...

    def silence(self, at: int) -> None:
        self._do("silence")


@pytest.mark.parametrize(
    ("call", "told"), [("due", ["no due"]), ("play", ["no play"]), ("both", ["no silence", "no both"])]
)
def test_a_part_that_fails_ends_and_others_go_on(tiny: TinyModel, call: str, told: list[str]) -> None:
    notices: list[str] = []
    engine = Engine(tiny.model)
    clock, faulty = Clock(engine, on_notice=notices.append), Faulty(call)
    clock.add(faulty)
    beats: list[float] = []
    clock.every(1, beats.append)
    engine.read(6 * BEAT)
    assert not clock.has(faulty)
    assert len(beats) >= 6
    assert len(notices) == len(told)
    assert all(text in notice for text, notice in zip(told, notices, strict=True)), notices
