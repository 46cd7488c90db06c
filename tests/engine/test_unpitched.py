"""Timbres without a pitch: no harmonic excitation, one sound on all keys, and the drums of a MIDI file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import TinyModel

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model, load_model
from cmaudio.model.saving import save_model
from cmaudio.offline.render import render
from cmaudio.score.arrangement import arrange
from cmaudio.score.events import PERCUSSION_CHANNEL, Event, NoteOff, NoteOn, Score
from cmaudio.signal.dsp import Float


@pytest.fixture(scope="module")
def drums(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The tiny model with its second timbre a bass drum."""
    source = tiny.model
    first, second, third = source.manifest.timbres
    second = second.model_copy(update={"name": "bass drum 1", "pitched": False, "key": 36, "program": None})
    manifest = source.manifest.model_copy(update={"timbres": [first, second, third]})
    path = tmp_path_factory.mktemp("drums") / "drums.cmaudio"
    save_model(path, manifest, {name: load_model(source.path).graph(name) for name in _GRAPHS}, "")
    return load_model(path)


_GRAPHS = ("controls", "context", "head", "vocoder")


def play(model: Model, pitch: float = 60, timbre: str = "bass drum 1", bend: float = 0.0) -> Float:
    engine = Engine(model, channels=1)
    note = engine.note_on(pitch, 100, timbre=timbre, seed=1)
    if bend:
        note.bend(bend, at=900)
    return engine.read(6000)


def test_the_excitation_is_silent_and_all_keys_sound_alike(drums: Model) -> None:
    engine = Engine(drums, channels=1)
    note = engine.note_on(50, 100, timbre="bass drum 1")
    engine.read(3000)
    assert note.voice is not None
    assert not note.voice.pulses.whole().any()
    sound = play(drums)
    assert np.abs(sound).max() > 1e-3
    np.testing.assert_array_equal(play(drums, 72.5), sound)
    np.testing.assert_array_equal(play(drums, bend=3), sound)
    assert not np.array_equal(play(drums, 72, "third"), play(drums, 60, "third"))


def test_other_timbres_sound_as_without_drums(drums: Model, tiny: TinyModel) -> None:
    np.testing.assert_array_equal(play(drums, timbre="third", bend=2), play(tiny.model, timbre="third", bend=2))


def test_a_point_has_a_pitch_as_its_nearest_timbre(drums: Model) -> None:
    assert not drums.has_pitch(drums.timbre_vector({"bass drum 1": 0.9, "first": 0.1}))
    assert drums.has_pitch(drums.timbre_vector({"bass drum 1": 0.1, "first": 0.9}))


@pytest.mark.parametrize("reads", [[9000], [1000] * 9])
def test_a_morph_towards_a_pitch_brings_it_at_its_time(drums: Model, reads: list[int]) -> None:
    engine = Engine(drums, channels=1)
    note = engine.note_on(60, 100, timbre="bass drum 1", seed=1)
    note.morph("first", 0.1, at=4000)
    sound = np.concatenate([engine.read(n) for n in reads])
    plain = play(drums)
    early = 3000
    np.testing.assert_array_equal(sound[:early], plain[:early])
    assert note.voice is not None
    assert note.voice.pulses.whole().any()
    again = Engine(drums, channels=1)
    other = again.note_on(60, 100, timbre="bass drum 1", seed=1)
    other.morph("first", 0.1, at=4000)
    np.testing.assert_array_equal(again.read(9000), sound)


def test_drums_of_a_score_find_their_timbres(drums: Model) -> None:
    events: list[tuple[float, Event]] = [
        (0.0, NoteOn(PERCUSSION_CHANNEL, 36, 100, 0)),
        (0.1, NoteOff(PERCUSSION_CHANNEL, 36)),
        (0.2, NoteOn(PERCUSSION_CHANNEL, 42, 100, 0)),
    ]
    score = Score("beat", events, 0.3, [], [36, 42], [])
    arrangement = arrange(score, drums)
    assert arrangement.timbres[128 + 36] == "bass drum 1"
    struck = [event for _, event in arrangement.score.events if isinstance(event, NoteOn)]
    assert [(event.pitch, event.program) for event in struck] == [(36, 128 + 36)]
    assert arrangement.notices == ["this model lacks some percussion: closed hi-hat left out"]
    alone = Score("one", [(0.0, NoteOn(PERCUSSION_CHANNEL, 36, 100, 0))], 0.3, [], [36], [])
    assert np.abs(render(alone, model=drums)).max() > 1e-3


def test_a_model_file_records_which_timbres_are_unpitched(drums: Model, tmp_path: Path) -> None:
    timbre = load_model(drums.path).timbres["bass drum 1"]
    assert (timbre.pitched, timbre.key) == (False, 36)
    assert drums.drums == {36: "bass drum 1"}
