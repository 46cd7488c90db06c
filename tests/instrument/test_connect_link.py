"""Joining and leaving a session of Ableton Link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from conftest import TinyModel
from fixtures.link import FakeSession
from fixtures.midi_out import PromptPlayer

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.output.player import Player
from cmaudio.synth import Synth


@pytest.fixture
def synth(tiny: TinyModel) -> Iterator[Synth]:
    engine = Engine(tiny.model, polyphony=2)
    found = Synth(engine, Recorder(engine, 1.0), cast("Player", PromptPlayer(engine)))
    yield found
    found.close()


def test_a_session_is_left_when_another_is_joined_and_when_the_instrument_is_closed(synth: Synth) -> None:
    sessions = [FakeSession(100), FakeSession(110, peers=1), FakeSession(120)]
    for session in sessions[:2]:
        joined = synth.connect_link(session=session, quantum=3)
        assert joined is synth.link
        assert joined.tempo == session.tempo
    assert [session.closed for session in sessions] == [True, False, False]
    synth.disconnect_link()
    synth.disconnect_link()
    assert synth.link is None
    assert sessions[1].closed
    synth.connect_link(session=sessions[2])
    synth.close()
    assert sessions[2].closed
    assert synth.link is None


def test_a_bar_of_no_beats_is_refused(synth: Synth) -> None:
    with pytest.raises(CmaudioError, match="quantum must be a number from 1 to 64"):
        synth.connect_link(session=FakeSession(), quantum=0)
