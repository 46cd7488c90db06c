"""Notes that are cut off because too many sound: a notice for each burst, and a count in the state and the meter."""

from __future__ import annotations

import pytest
from conftest import TinyModel
from fixtures.fake_card import FakeCard
from fixtures.waiting import wait_for

from cmaudio.cli.meter import _line
from cmaudio.synth import open


@pytest.mark.parametrize(
    ("limit", "told"),
    [(3, "more than 3 sound at once; raise the polyphony"), (2, "falls behind, and only 2 notes may sound")],
)
def test_notes_that_are_cut_off_are_told(tiny: TinyModel, limit: int, told: str) -> None:
    notices = list[str]()
    card = FakeCard(runs=True)
    with open(tiny.model, open_stream=card, polyphony=3, lead_ms=200, on_notice=notices.append) as synth:
        assert "cut off" not in str(_line(synth.state(), None))
        synth.engine.allocator.limit = limit
        for pitch in range(60, 66):
            synth.note_on(pitch)
        wait_for(lambda: synth.state().engine.stolen == 6 - limit)
        wait_for(lambda: bool(notices))
        assert f"{6 - limit} notes cut off" in str(_line(synth.state(), None))
    stolen = [text for text in notices if "cut off" in text]
    assert len(stolen) == 1
    assert told in stolen[0]
