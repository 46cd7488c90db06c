"""Voices that read: the same samples however a text comes, steering, stopping, marks, bad input."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cmaudio.engine.engine import Engine
from cmaudio.engine.speech import Speech
from cmaudio.engine.utterance import Mark
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline.speak import speak
from cmaudio.offline.spoken import Spoken
from cmaudio.signal.dsp import Float
from cmaudio.speech.features import COLUMNS
from cmaudio.speech.prosody import Prosody
from cmaudio.synthesis.graph import Graph

TEXT = "The quick brown fox jumps, and it is gone. Was it here? It was!"


def said(model: Model, text: str = TEXT, **how: float) -> Spoken:
    return speak(text, model=model, **how)  # type: ignore[arg-type]


def finish(engine: Engine, speech: Speech, reads: Iterator[int]) -> Float:
    out = []
    while not (engine.idle and speech.ended):
        out.append(engine.read(next(reads)))
    return np.concatenate(out)


def listen(engine: Engine, speech: Speech) -> None:
    """Read about as a sound card does, until a text that comes in the background has ended."""
    for _ in range(20_000):
        if speech.ended and engine.idle:
            return
        engine.read(64)
        time.sleep(0.002)
    raise AssertionError("the text does not end")


def words(marks: list[Mark]) -> list[str]:
    return [mark.text for mark in marks if mark.kind == "word"]


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


def test_a_voice_without_word_boundaries_still_reads(tiny_voice: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    class Older(Graph):
        """A graph of before phonemes had a third column."""

        def __init__(self, name: str, content: bytes) -> None:
            super().__init__(name, content)
            self.shapes["ids"] = [1, "P", 2]

        def __call__(self, *inputs: NDArray[Any], state: Sequence[Float] = ()) -> list[Float]:
            ids, timbre = inputs
            assert ids.shape[-1] == 2
            return super().__call__(np.concatenate([ids, np.zeros_like(ids[..., :1])], -1), timbre)

    monkeypatch.setattr("cmaudio.speech.prosody.load_graph", lambda model, name: Older(name, model.graph(name)))
    assert words(said(tiny_voice).marks)[-1] == "was"


def test_a_voice_with_less_phoneme_context_still_speaks(tiny_voice: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    near, new = COLUMNS["speech-1"], COLUMNS["speech-2"] - COLUMNS["speech-1"]

    class Older(Graph):
        """The controls' graph of before: what it does not read is as nothing to the networks here."""

        def __init__(self, name: str, content: bytes) -> None:
            super().__init__(name, content)
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


def test_rate_changes_how_long_it_takes_and_when_it_acts(tiny_voice: Model) -> None:
    slow, fast = said(tiny_voice, rate=0.5), said(tiny_voice, rate=2.0)
    assert slow.marks[-1].seconds == pytest.approx(4 * fast.marks[-1].seconds, rel=0.05)
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT)
    engine.read(engine.sample_rate // 2)
    before = len(speech.marks)
    speech.steer(rate=4.0)
    finish(engine, speech, itertools.repeat(512))
    later = [m.seconds for m in speech.marks[before + 4 :]]
    usual = [m.seconds for m in said(tiny_voice).marks[before + 4 :]]
    assert later[-1] - later[0] == pytest.approx((usual[-1] - usual[0]) / 4, rel=0.1)


def f0_track(model: Model, **how: float) -> np.ndarray:
    """(T,) Hz that the vocoder is given, of voiced frames."""
    engine = Engine(model)
    tracks = []
    vocoder = engine.synthesizer.vocoder

    class Watch:
        def __call__(self, mel: Float, f0: Float, state: list[Float]) -> list[Float]:
            tracks.append(f0[0])
            return vocoder(mel, f0, state=state)

        def init_state(self, batch: int) -> list[Float]:
            return vocoder.init_state(batch)

    engine.synthesizer.vocoder = Watch()  # type: ignore[assignment]
    finish(engine, engine.say(TEXT, **how), itertools.repeat(4096))  # type: ignore[arg-type]
    track = np.concatenate(tracks)
    return track[track > 0]


def test_pitch_and_range_move_the_melody(tiny_voice: Model) -> None:
    usual, higher = f0_track(tiny_voice), f0_track(tiny_voice, pitch=12)
    flat = f0_track(tiny_voice, pitch_range=0)
    assert len(usual) > 50
    np.testing.assert_allclose(higher, 2 * usual, rtol=1e-4)
    assert len(np.unique(flat.round(3))) <= 4  # one tone a stretch between pauses


def test_energy_reaches_the_network(tiny_voice: Model) -> None:
    assert not np.array_equal(said(tiny_voice, energy=6.0).audio, said(tiny_voice).audio)


def test_stop_at_the_phoneme_and_speak_again(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT, seed=1)
    engine.read(engine.sample_rate // 2)
    speech.stop("phoneme")
    rest = finish(engine, speech, itertools.repeat(256))
    assert len(rest) < engine.sample_rate  # a phoneme, not the text
    assert len(words(speech.marks)) < len(words(said(tiny_voice).marks))
    second, again = whole(engine)
    first, _ = whole(Engine(tiny_voice))
    assert words(again.marks) == words(said(tiny_voice).marks)
    count = min(len(first), len(second))
    np.testing.assert_allclose(second[:count], first[:count], atol=2e-6)


def whole(engine: Engine) -> tuple[Float, Speech]:
    """All of the text from its first sample on."""
    now = engine.now
    speech = engine.say(TEXT, seed=1)
    sound = finish(engine, speech, itertools.repeat(4096))
    assert speech.began is not None
    return sound[speech.began - now + engine.latency_samples :], speech


def test_stop_now_is_silent_within_milliseconds(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT)
    engine.read(engine.sample_rate // 2)
    speech.stop()
    rest = finish(engine, speech, itertools.repeat(64))
    assert np.abs(rest[engine.sample_rate // 20 :]).max(initial=0) < 1e-4
    assert speech.ended


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


@pytest.mark.parametrize("text", ["", "  \n", "😀 🎉", "привет", "<p/>"])
def test_a_text_without_anything_to_say_ends_at_once(tiny_voice: Model, text: str) -> None:
    spoken = said(tiny_voice, text)
    assert len(spoken.audio) == 0
    assert bool(spoken.unspoken) == bool(text.strip())


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"rate": 0.0}, "rate must be"),
        ({"rate": float("nan")}, "rate must be"),
        ({"pitch": 99}, "pitch must be"),
        ({"pitch_range": -1}, "pitch_range must be"),
        ({"energy": 100}, "energy must be"),
        ({"timbre": "nobody"}, "unknown timbre"),
        ({"phonemes": True}, "is no phoneme of this voice"),
    ],
)
def test_invalid_arguments_are_named(tiny_voice: Model, how: dict[str, float], message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        said(tiny_voice, "Ж", **how)


def test_notes_and_texts_need_their_kind_of_model(tiny_voice: Model, model: Model) -> None:
    with pytest.raises(CmaudioError, match="reads text and plays no notes: use `say`"):
        Engine(tiny_voice).note_on(60)
    with pytest.raises(CmaudioError, match="plays notes and does not read text"):
        Engine(model).say("hello")


def test_an_error_of_the_text_iterator_is_raised_where_it_is_awaited(tiny_voice: Model) -> None:
    def broken() -> Iterator[str]:
        yield "One two three. "
        raise OSError("the line went dead")

    engine = Engine(tiny_voice)
    speech = engine.say(broken(), background=True)
    listen(engine, speech)
    with pytest.raises(CmaudioError, match="the line went dead"):
        speech.wait()
    assert words(speech.marks) == ["One", "two", "three"]


def test_phonemes_can_be_given(tiny_voice: Model) -> None:
    spoken = speak("həlˈoʊ, wˈɚld!", model=tiny_voice, phonemes=True)
    assert [m.text for m in spoken.marks if m.kind == "phoneme"][1:] == [
        "h",
        "ə",
        "l",
        "ˈoʊ",
        ",",
        "w",
        "ˈɚ",
        "l",
        "d",
        "!",
    ]


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
    pause = np.asarray(spoken.audio)[round(end.seconds * spoken.sample_rate) :]
    assert end.text in ".?!"
    assert len(pause) > 1000
    assert np.abs(pause).max() < 1e-3


def test_ssml_delivers_breaks_and_marks(tiny_voice: Model) -> None:
    plain = speak("One two. Three four.", model=tiny_voice)
    spoken = speak(
        "<speak>One two. <break time='2s'/> <mark name='here'/>Three four.</speak>", model=tiny_voice, ssml=True
    )
    assert [mark.text for mark in spoken.marks if mark.kind == "mark"] == ["here"]
    assert words(spoken.marks) == words(plain.marks) == ["One", "two", "Three", "four"]
    third = [next(m.seconds for m in s.marks if m.text == "Three") for s in (plain, spoken)]
    (pause,) = [m.seconds for m in spoken.marks if m.text == "." and m.seconds < third[1]]
    assert third[1] - pause == pytest.approx(2.0, abs=0.1)


def test_given_pronunciations_are_said(tiny_voice: Model) -> None:
    spoken = speak("a tomato", model=tiny_voice, pronunciations={"tomato": "bˈi"})
    assert [mark.text for mark in spoken.marks if mark.kind == "phoneme"][:4] == ["", "ə", "b", "ˈi"]


def test_word_marks_point_into_the_text(tiny_voice: Model) -> None:
    text = "It costs $5, Dr. Smith."
    spoken = speak(text, model=tiny_voice)
    assert [text[m.start : m.end] for m in spoken.marks if m.kind == "word"] == [
        "It", "costs", "$5", "$5", "Dr. Smith", "Dr. Smith",
    ]  # fmt: skip
