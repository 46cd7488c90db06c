"""`--link`: what `play`, `live` and `panel` do with it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from conftest import TinyModel
from fixtures.clock_rig import RATE, ClockRig

from cmaudio.cli.link import DELAY_SECONDS, join_link, seconds_to_bar
from cmaudio.synth import Synth


def test_peers_are_looked_for_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    waited: list[float] = []
    link = SimpleNamespace(peers=2, tempo=121.25)
    join_link(cast("Synth", SimpleNamespace(connect_link=lambda: link, wait=waited.append)))
    assert capsys.readouterr().out == "Ableton Link: 2 peers, 121.2 beats per minute\n"
    assert waited[0] > 0


@pytest.mark.parametrize("beat", [0.5, 3.4, 3.9, 8.0, 17.2])
def test_a_piece_begins_with_a_bar(tiny: TinyModel, beat: float) -> None:
    rig: Any = ClockRig(tiny.model)
    rig.clock.locate(beat)
    delay = seconds_to_bar(rig)
    begins = rig.clock.map.beat_at(rig.engine.now + delay * RATE)
    assert begins % 4 == pytest.approx(0, abs=1e-6)
    assert DELAY_SECONDS <= delay <= DELAY_SECONDS + 2
