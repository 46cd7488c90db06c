"""The clock of a live instrument, which a thread advances."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT, RATE
from fixtures.waiting import wait_for

from cmaudio.engine.engine import Engine
from cmaudio.instrument.recorder import Recorder
from cmaudio.output.player import Player
from cmaudio.score.events import NoteOn
from cmaudio.synth import Synth


class SilentPlayer:
    def wake(self) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def synth(tiny: TinyModel) -> Synth:
    recorder = Recorder(Engine(tiny.model))
    return Synth(recorder.engine, recorder, cast("Player", SilentPlayer()))


def test_thread_stays_ahead_of_the_engine(synth: Synth) -> None:
    loop = synth.play([60, 63, 67, None], beat=1 / 4, loop=True, gate=0.5, quantise=1)
    wait_for(lambda: not synth.engine.idle)
    while synth.engine.now < 4 * BEAT:
        wait_for(lambda: synth.clock.scheduled_to > synth.engine.now + 1024)
        synth.recorder.read(256)
    found = synth.recorder.events(0, 3 * BEAT)
    start = synth.clock.sample(loop.start)
    onsets = [at - synth.engine.latency_samples - start for at, e in found if isinstance(e, NoteOn)]
    grid = [k * BEAT // 4 for k in range(16) if k % 4 < 3]
    assert onsets == grid[: len(onsets)]
    assert len(onsets) >= 8
    assert (synth.clock.late, synth.clock.dropped) == (0, 0)
    synth.close()
    assert not loop.playing


def test_blocked_scheduler_drops_late_notes(synth: Synth) -> None:
    synth.play(list(range(40, 104)), beat=1 / 4, gate=0.5)
    wait_for(lambda: not synth.engine.idle)
    with synth.clock.lock:
        synth.recorder.read(4 * BEAT)
    wait_for(lambda: synth.clock.scheduled_to > synth.engine.now + 1024)
    for _ in range(200):
        wait_for(lambda: synth.clock.scheduled_to > synth.engine.now + 512)
        synth.recorder.read(256)
    onsets = [(at, e.pitch) for at, e in synth.recorder.events(0, 2**40) if isinstance(e, NoteOn)]
    apart = np.diff([at for at, _ in onsets])
    assert synth.clock.dropped > 8
    pitches = [pitch for _, pitch in onsets]
    assert pitches == sorted(set(pitches))
    assert apart.min() > BEAT // 4 - 0.08 * RATE, "no burst"
    synth.close()


def test_panic_ends_patterns(synth: Synth) -> None:
    loop = synth.play([60], loop=True, quantise=0)
    synth.panic()
    assert not loop.playing
    synth.close()
