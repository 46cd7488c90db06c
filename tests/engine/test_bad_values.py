"""Values out of range are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model


@pytest.fixture(scope="module")
def idle_engine(model: Model) -> Engine:
    return Engine(model)


BAD: list[tuple[str, Callable[[Engine], object], str]] = [
    ("pitch", lambda e: e.note_on(128), r"pitch .* 0 to 127 .* not 128"),
    ("negative pitch", lambda e: e.note_on(-0.5), r"pitch .* not -0.5"),
    ("NaN pitch", lambda e: e.note_on(float("nan")), r"pitch .* not nan"),
    ("note name", lambda e: e.note_on("H4"), r"from \"C-1\" to \"G9\" .* not 'H4'"),
    ("negative read", lambda e: e.read(-1), r"samples must be a whole number from 0 .* not -1"),
    ("fractional read", lambda e: e.read(100.0), r"samples .* not 100.0"),  # type: ignore[arg-type]
    ("velocity", lambda e: e.note_on(60, 0), r"velocity .* 1 to 127 .* not 0"),
    ("infinite velocity", lambda e: e.note_on(60, float("inf")), r"velocity .* not inf"),
    ("channel", lambda e: e.note_on(60, channel=16), r"channel .* 0 to 15, not 16"),
    ("seed", lambda e: e.note_on(60, seed=-1), r"seed .* not -1"),
    ("timbre", lambda e: e.note_on(60, timbre="vilion"), r"unknown timbre 'vilion'.*'violin'"),
    ("timbre vector", lambda e: e.note_on(60, timbre=[1.0, 2.0]), r"32 finite numbers, not \[1.0, 2.0\]"),
    ("pedal channel", lambda e: e.sustain(True, 99), r"channel .* not 99"),
    ("channel bend", lambda e: e.bend(49), r"bend .* -48 to 48 .* not 49"),
    ("wheel", lambda e: e.pitch_wheel(1.1), r"position .* -1 to 1 .* not 1.1"),
    ("channel gain", lambda e: e.channel_gain(-1), r"gain .* 0 to 4 .* not -1"),
    ("master gain", lambda e: e.master_gain(99), r"gain_db .* -80 to 24 .* not 99"),
    ("bend", lambda e: e.note_on(60).bend(float("nan")), r"bend .* not nan"),
    ("bend time", lambda e: e.note_on(60).bend(1, -1), r"seconds .* not -1"),
    ("morph", lambda e: e.note_on(60).morph("obo"), r"unknown timbre 'obo'.*'oboe'"),
    ("off channel", lambda e: e.all_notes_off(-1), r"channel .* not -1"),
    ("steps", lambda e: Engine(e.model, steps=3), r"steps must be 1 .* or 2 .* not 3"),
    ("polyphony", lambda e: Engine(e.model, polyphony=0), r"polyphony .* 1 to 256, not 0"),
    ("range", lambda e: Engine(e.model, bend_range=-1), r"bend_range .* not -1"),
    ("gain", lambda e: Engine(e.model, gain_db=float("nan")), r"gain_db .* not nan"),
    ("model", lambda e: Engine("no such model"), r"no model 'no such model'.*instrument"),
    ("nearly a model", lambda e: Engine("instrum"), r"did you mean 'instrument'"),
]


@pytest.mark.parametrize(("call", "message"), [entry[1:] for entry in BAD], ids=[entry[0] for entry in BAD])
def test_bad_values_are_named(idle_engine: Engine, call: Callable[[Engine], object], message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        call(idle_engine)


@pytest.mark.parametrize("at", [100.5, float("nan"), "soon"])
def test_bad_times_are_refused_at_once(model: Model, at: Any) -> None:
    with pytest.raises(CmaudioError, match="at"):
        Engine(model).note_on(60, at=at)


def test_whole_numbers_stay_whole(model: Model) -> None:
    engine = Engine(model)
    assert engine.note_on(60, seed=2**53 + 1).seed == 2**53 + 1
    with pytest.raises(CmaudioError, match="channel"):
        engine.note_on(60, channel=1.5)  # type: ignore[arg-type]
