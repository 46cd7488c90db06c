"""The storm: its curves begin where they say, meet without jumps, and stay within what the controls allow."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.controls.controls import Controls
from cmaudio.demos.storm import BEDS, SECONDS, STROKES, THUNDER, Bed, storm
from cmaudio.engine.engine import Engine
from cmaudio.model.file import load_model
from cmaudio.score.expression import checked_expression
from cmaudio.timing.clock import Clock


@pytest.mark.parametrize("bed", BEDS, ids=lambda bed: bed.timbre)
def test_curves_last_as_long_as_their_bed(bed: Bed) -> None:
    for name, curve in bed.curves.items():
        beats = [beat for beat, _ in curve]
        assert beats == sorted(set(beats))
        assert beats[0] == bed.begin
        assert beats[-1] <= bed.end <= SECONDS
        assert [checked_expression(name, value) for _, value in curve] == [value for _, value in curve]
    first, last = bed.curves["level"][0][1], bed.curves["level"][-1][1]
    assert last <= -30, "it goes softly"
    assert bed.begin == 0 or first <= -24, "and comes softly into what sounds already"


def test_the_model_has_every_sound_of_it() -> None:
    names = {timbre.name for timbre in load_model("textures").manifest.timbres}
    assert {"thunder", *(bed.timbre for bed in BEDS), *(name for each in STROKES for name in each.timbres)} <= names
    assert all(0 < beat < SECONDS for beat, *_ in THUNDER)


def test_its_first_bed_begins_where_its_curves_do() -> None:
    engine = Engine("textures")
    storm(Clock(engine, 60, controls=Controls(engine)))
    engine.read(4096)
    wind = next(each for each in engine.allocator.notes.values() if each.voice.params.at == 0)
    for name, curve in BEDS[0].curves.items():
        now = wind.voice.expression[name].at(np.array([100.0]))[0]
        assert now == pytest.approx(curve[0][1], abs=0.01), name
