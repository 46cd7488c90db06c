"""Arguments of a wrong type, in every public call that takes files, texts or settings: one clear error."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from conftest import TinyModel
from fixtures.fake_card import FakeCard

import cmaudio as package
from cmaudio.engine import engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline import recite as reciting
from cmaudio.score.pieces import builtin_piece

# What a type checker would refuse is what these calls are about.
cmaudio: Any = package
Engine: Any = engine.Engine
recite: Any = reciting.recite

Call = Callable[[Any, Any], object]
CALLS: list[tuple[str, Call, str]] = [
    ("threads", lambda m, v: Engine(m, threads="x"), "threads must be a whole number from 1 to 2, not 'x'"),
    ("no thread", lambda m, v: Engine(m, threads=0), "threads .* not 0"),
    ("polyphony", lambda m, v: Engine(m, polyphony="x"), "polyphony .* not 'x'"),
    ("steps", lambda m, v: Engine(m, steps=[1]), "steps"),
    ("gain", lambda m, v: Engine(m, gain_db=None), "gain_db .* not None"),
    ("model", lambda m, v: Engine(3), "a model is a name, a file or a loaded Model, not int"),
    ("nearly a model", lambda m, v: cmaudio.load_model("engl"), "did you mean 'english'"),
    ("no text", lambda m, v: cmaudio.speak(None, model=v), "a text is a string, or pieces of one, not NoneType"),
    ("bytes", lambda m, v: cmaudio.speak(b"a", model=v), "a text is a string, or pieces of one, not bytes"),
    ("sound file", lambda m, v: cmaudio.speak("a", 3, model=v), "a file is named by text or a Path, or open for w"),
    ("dictionary", lambda m, v: cmaudio.speak("a", model=v, pronunciations="x"), "pronunciations are IPA by word"),
    ("IPA", lambda m, v: cmaudio.speak("a", model=v, pronunciations={"a": 3}), "pronunciations are IPA by word"),
    ("rate", lambda m, v: cmaudio.speak("a", model=v, rate="x"), "rate .* not 'x'"),
    ("no score", lambda m, v: cmaudio.render(None, model=m), "a score is .* not NoneType"),
    ("text file", lambda m, v: cmaudio.render(builtin_piece(), io.StringIO(), model=m), "in binary mode"),
    ("format", lambda m, v: cmaudio.speak("a", io.BytesIO(), model=v, format="aiff"), "'aiff' is no sound format here"),
    (
        "format of a path",
        lambda m, v: cmaudio.speak("a", "a.wav", model=v, format="mp3"),
        "extension of a path sets its",
    ),
    ("rendered file", lambda m, v: cmaudio.render(builtin_piece(), 3, model=m), "a file is named"),
    ("stems", lambda m, v: cmaudio.render(builtin_piece(), model=m, channels=2, stems=3), "a file is named"),
    ("space", lambda m, v: Engine(m).set_impulse_response(3), "a file is named by text or a Path, not int"),
    ("tail", lambda m, v: cmaudio.render(builtin_piece(), model=m, tail="x"), "tail .* not 'x'"),
    ("controls", lambda m, v: cmaudio.render(builtin_piece(), model=m, controls=3), "controls are values by name"),
    ("pattern's file", lambda m, v: cmaudio.render_pattern([60], 1, path=3, model=m), "a file is named"),
    ("preset", lambda m, v: cmaudio.load_preset(None), "a file is named by text or a Path, not NoneType"),
    ("no preset", lambda m, v: cmaudio.save_preset(3), "a preset is what .* not int"),
    ("preset's file", lambda m, v: cmaudio.save_preset(cmaudio.load_preset("chapel"), 3), "a file is named"),
    ("MIDI file", lambda m, v: cmaudio.read_midi(3), "a file is named by text or a Path, not int"),
    ("lead", lambda m, v: cmaudio.open(m, lead_ms="x", open_stream=FakeCard()), "lead_ms .* not 'x'"),
    ("no file to recite", lambda m, v: recite("none.txt", "out", model=v), "text none.txt cannot be read"),
    ("nothing to recite", lambda m, v: recite(None, "out", model=v), "a file is named"),
    ("rates", lambda m, v: recite("none.txt", "out", model=v, rates=3), "rates must be a list, not 3"),
    ("timbres", lambda m, v: recite("none.txt", "out", model=v, timbres="a"), "timbres must be a list, not 'a'"),
    ("seeds", lambda m, v: recite("none.txt", "out", model=v, seeds="x"), "seeds must be a whole number"),
]


@pytest.mark.parametrize(("call", "told"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
def test_a_wrong_type_is_named(call: Call, told: str, tiny: TinyModel, tiny_voice: Model) -> None:
    with pytest.raises(CmaudioError, match=told):
        call(tiny.model, tiny_voice)
