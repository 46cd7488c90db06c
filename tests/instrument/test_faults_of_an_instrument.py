"""A live instrument plays on after a fault: what failed is told once, and the next note sounds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from conftest import TinyModel
from fixtures.fake_card import FakeCard
from fixtures.faulty import NoPitch, NoSamples, enter
from fixtures.waiting import wait_for

from cmaudio.synth import Synth, open


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def synth(tiny: TinyModel, notices: list[str]) -> Iterator[Synth]:
    card = FakeCard(runs=True)
    with open(tiny.model, open_stream=card, channels=2, lead_ms=100, on_notice=notices.append) as found:
        yield found


def _raising(*_: object) -> NoReturn:
    raise ValueError("not today")


def _leaving(*_: object) -> None:
    sys.exit(1)


def _late_voice(kind: type[NoPitch] | type[NoSamples]) -> Callable[[Synth], object]:
    return lambda synth: enter(synth.engine, kind, at=synth.place())


def _modulation(synth: Synth) -> None:
    synth.engine.express("reverb", 0.5)
    synth.engine.rack.modulation = _raising
    synth.note_on(60)


FAULTS: dict[str, tuple[Callable[[Synth], object], str]] = {
    "voice": (_late_voice(NoPitch), "no pitch"),
    "samples": (_late_voice(NoSamples), "no samples"),
    "event": (lambda synth: synth.engine.submit(None, _raising), "not today"),
    "exit": (lambda synth: synth.engine.submit(None, _leaving), "SystemExit"),
    "every": (lambda synth: synth.clock.every(0.25, _leaving), "SystemExit"),
    "recorder": (lambda synth: [synth.recorder.subscribe(_raising), synth.note_on(60)], "not today"),
    "insert": (lambda synth: synth.insert(_raising), "not today"),
    "modulation": (_modulation, "not today"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_plays_on(synth: Synth, notices: list[str], name: str) -> None:
    fail, told = FAULTS[name]
    fail(synth)
    wait_for(lambda: any(told in text for text in notices))
    note = synth.note_on(64, 100)
    made = synth.recorder.made_samples
    wait_for(lambda: synth.recorder.made_samples > made + 4800)
    assert note.voice is not None
    synth.wait(0.01)  # raises the error of a synthesis thread that has ended
    assert synth.state().player.status == "playing"
    assert len([text for text in notices if told in text]) == 1, notices
    synth.panic()
    wait_for(lambda: synth.engine.sounding == 0)
