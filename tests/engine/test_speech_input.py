"""What a voice is given: text, SSML, phonemes, pronunciations, and bad input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from fixtures.speech import listen, said, words
from fixtures.waiting import wait_for

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline.speak import speak


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
        ({"phonemes": True}, "is not a phoneme of this voice"),
    ],
)
def test_invalid_arguments_are_named(tiny_voice: Model, how: dict[str, float], message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        said(tiny_voice, "Ж", **how)


def test_notes_and_texts_need_their_kind_of_model(tiny_voice: Model, model: Model) -> None:
    with pytest.raises(CmaudioError, match="is a text-to-speech voice without notes: use `say`"):
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
        "It", "costs", "$5", "$5", "Dr.", "Smith",
    ]  # fmt: skip


def _broken_off() -> Iterator[str]:
    yield "Hello there. "
    raise ValueError("the line is gone")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello 😀 there.", "not spoken: .*😀"),
        (_broken_off, "the text ended with an error .*the line is gone"),
    ],
)
@pytest.mark.parametrize("background", [False, True])
def test_what_is_not_spoken_is_told_to_those_who_do_not_wait(
    tiny_voice: Model, text: str | Callable[[], Iterator[str]], told: str, background: bool
) -> None:
    lines: list[str] = []
    engine = Engine(tiny_voice)
    if not background and not isinstance(text, str):
        pytest.skip("it is raised")
    engine.say(text if isinstance(text, str) else text(), background=background).report_to(lines.append)
    wait_for(lambda: bool(lines))
    assert len(lines) == 1
    assert re.search(told, lines[0])
