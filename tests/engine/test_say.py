"""Voices that read: the same samples however a text arrives, several voices at once, files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.speech import TEXT, finish, listen, said, words
from numpy.typing import NDArray

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline.speak import speak
from cmaudio.signal.dsp import Float
from cmaudio.speech.features import COLUMNS
from cmaudio.speech.prosody import Prosody
from cmaudio.synthesis.graph import Graph


def test_a_text_word_by_word_gives_the_same_samples(tiny_voice: Model) -> None:
    at_once = said(tiny_voice)
    in_words = speak((word + " " for word in TEXT.split(" ")), model=tiny_voice)
    assert np.abs(at_once.audio).max() > 0.01
    np.testing.assert_array_equal(at_once.audio, in_words.audio)


def test_how_the_output_is_read_changes_nothing(tiny_voice: Model) -> None:
    sounds = []
    for sizes in ((4096,), (100, 7, 1023)):
        engine = Engine(tiny_voice, seed=3)
        sounds.append(finish(engine, engine.say(TEXT, seed=1), itertools.cycle(sizes)))
    count = min(map(len, sounds))
    np.testing.assert_array_equal(sounds[0][:count], sounds[1][:count])


def test_seeds(tiny_voice: Model) -> None:
    np.testing.assert_array_equal(said(tiny_voice, seed=4).audio, said(tiny_voice, seed=4).audio)
    assert not np.array_equal(said(tiny_voice, seed=4).audio, said(tiny_voice, seed=5).audio)


def test_marks_name_every_word_in_order_and_durations_add_up(tiny_voice: Model) -> None:
    spoken = said(tiny_voice)
    assert words(spoken.marks) == TEXT.replace(",", "").replace(".", "").replace("?", "").replace("!", "").split()
    seconds = [mark.seconds for mark in spoken.marks]
    assert seconds == sorted(seconds)
    prosody = Prosody(tiny_voice)
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT)
    engine.read(64)
    assert speech.voice is not None
    nominal = speech.voice.timeline.end
    frame = tiny_voice.manifest.hop_length / tiny_voice.manifest.sample_rate
    engine.read(round((nominal + 1) * engine.sample_rate))
    assert speech.ended
    last = max(seconds)
    assert last < nominal < len(spoken.audio) / spoken.sample_rate
    # The frames made are those of the durations, to the frame, and the fade after them.
    assert abs(len(np.trim_zeros(spoken.audio, "b")) / spoken.sample_rate - nominal) < 12 * frame
    assert prosody.language == "en-us"


@pytest.mark.parametrize("columns", [2, 3])
def test_a_voice_without_word_boundaries_or_kinds_of_sentences_still_reads(
    tiny_voice: Model, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    class Older(Graph):
        """A graph of before phonemes had a third column, or six of them."""

        def __init__(self, name: str, content: bytes, path: Path | None = None) -> None:
            super().__init__(name, content, path)
            self.missing = int(self.shapes["ids"][-1]) - columns
            self.shapes["ids"] = [1, "P", columns]

        def __call__(self, *inputs: NDArray[Any], state: Sequence[Float] = ()) -> list[Float]:
            ids, timbre = inputs
            assert ids.shape[-1] == columns
            return super().__call__(np.pad(ids, ((0, 0), (0, 0), (0, self.missing))), timbre)

    monkeypatch.setattr("cmaudio.speech.prosody.load_graph", lambda model, name: Older(name, model.graph(name)))
    assert words(said(tiny_voice).marks)[-1] == "was"


def test_a_voice_with_less_phoneme_context_still_speaks(tiny_voice: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    near, new = COLUMNS["speech-1"], COLUMNS["speech-2"] - COLUMNS["speech-1"]

    class Older(Graph):
        """The controls' graph of before: what it does not read is as nothing to the networks here."""

        def __init__(self, name: str, content: bytes, path: Path | None = None) -> None:
            super().__init__(name, content, path)
            self.older = name == "controls"
            if self.older:
                self.shapes["controls"] = [*self.shapes["controls"][:-1], int(self.shapes["controls"][-1]) - new]

        def __call__(self, *inputs: NDArray[Any], state: Sequence[Float] = ()) -> list[Float]:
            if not self.older:
                return super().__call__(*inputs, state=state)
            controls, timbre = inputs
            return super().__call__(np.insert(controls, [near] * new, 0, -1), timbre)

    manifest = tiny_voice.manifest.model_copy(update={"features": "speech-1"})
    older = replace(tiny_voice, manifest=manifest)
    with pytest.raises(CmaudioError, match="graphs and manifest disagree"):
        said(older)
    monkeypatch.setattr("cmaudio.synthesis.graph.Graph", Older)
    assert words(said(older).marks)[-1] == "was"


def test_a_text_in_the_background_waits_for_its_words(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice)
    speech = engine.say((word + " " for word in TEXT.split(" ")), background=True)
    listen(engine, speech)
    assert words(speech.marks) == words(said(tiny_voice).marks)
    speech.wait()


def test_two_texts_sound_at_once(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice)
    one, two = engine.say("First.", seed=1), engine.say("Second.", seed=2, timbre="second")
    engine.read(4096)
    assert engine.state().voices == 2
    finish(engine, two, itertools.repeat(4096))
    assert one.ended


def test_speakers_morph_and_panic_ends_texts(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT)
    engine.read(2048)
    speech.morph({"first": 0.5, "third": 0.5}, 0.2)
    engine.read(2048)
    assert speech.voice is not None
    np.testing.assert_allclose(
        speech.voice.timbre.target, tiny_voice.timbre_vector({"first": 0.5, "third": 0.5}), atol=1e-12
    )
    engine.panic()
    engine.read(4096)
    assert speech.ended


def test_a_file_is_written_whole_or_not_at_all(tiny_voice: Model, tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    with pytest.raises(CmaudioError):
        speak("Ж", path, model=tiny_voice, phonemes=True)
    assert list(tmp_path.iterdir()) == []
    speak("Yes.", path, model=tiny_voice)
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("text", ["Is it late?", "Stop that now!", "He went home.", "Or one?", "It sat."])
def test_after_the_last_word_of_a_short_sentence_it_is_silent(text: str) -> None:
    spoken = speak(text, model="english", seed=0)
    end = spoken.marks[-1]
    fading = 0.06  # seconds: the mark is where the sound falls 33 dB below the loud parts, not where it has died away
    pause = np.asarray(spoken.audio)[round((end.seconds + fading) * spoken.sample_rate) :]
    assert end.text in ".?!"
    assert len(pause) > 1000
    assert np.abs(pause).max() < 1e-3
