"""Long and hostile texts: work in proportion to their length, or a limit that is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import ENGLISH
from fixtures.deadline import deadline

from cmaudio.errors import CmaudioError
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import MAX_PHONEMES, Phrase, parse_phonemes
from cmaudio.speech.phrases import read_phrases
from cmaudio.speech.pronunciations import MAX_IPA, Pronunciations, read_dictionary
from cmaudio.speech.prosody import Segment
from cmaudio.speech.ssml import parse_ssml
from cmaudio.speech.timeline import Timeline

_LETTERS = "qwertzuiopasdfghjklyxcvbnmqwertzuiopasdfghjklyxcvbnmqwert"
_LONG = [
    "a" * 40_000,
    "1" * 40_000,
    " " * 40_000,
    "\n" * 40_000,
    "\n " * 20_000,
    "<a" * 20_000,
    "a." * 20_000,
    "etc. " + "b" * 40_000,
    "," * 40_000,
    "( " * 20_000,
    ". " * 20_000,
    "[a](/" * 8_000,
    "word " * 8_000,
]


@pytest.mark.parametrize("text", _LONG, ids=lambda text: repr(text[:6]))
def test_a_long_text_is_cut_alike_and_quickly_letter_by_letter(text: str) -> None:
    with deadline(60):
        assert list(read_phrases(list(text))) == list(read_phrases([text]))


@pytest.mark.parametrize("code", ["en-us", "ru-ru"])
@pytest.mark.parametrize(
    "text",
    [
        "<a" * 50_000,
        "</a" * 30_000,
        "1 " * 300,
        "a" * 100_000,
        "1" * 100_000,
        "&amp;" * 20_000,
        "&a" * 30_000,
        "((" * 30_000,
        "a-" * 30_000,
        "[a](/" * 20_000,
        " ".join(f"{'abcdefghij'[i % 10]}{'abcdefghij'[i // 10]}{_LETTERS}" for i in range(40)),
        " ".join(f"{'абвгдежзик'[i % 10]}{'абвгдежзик'[i // 10]}{'йцукенгшщз' * 5}" for i in range(40)),
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_hostile_text_is_read_quickly(code: str, text: str) -> None:
    with deadline(60):
        assert all(isinstance(phrase, Phrase) for phrase in language(code).phrases([text]))


@pytest.mark.parametrize(
    ("text", "phrases"),
    [("ə" * MAX_PHONEMES, 1), ("ə " * MAX_PHONEMES, 1), ("ə, " * 3 * MAX_PHONEMES, 3 * MAX_PHONEMES)],
)
def test_as_many_phonemes_as_allowed_between_pauses(text: str, phrases: int) -> None:
    assert sum(1 for _ in parse_phonemes(text, ENGLISH)) == phrases


@pytest.mark.parametrize("text", ["ə" * 100_000, "ə " * 50_000, "hə, " + "ə " * 2001])
def test_more_phonemes_without_a_pause_are_refused(text: str) -> None:
    with deadline(60), pytest.raises(CmaudioError, match="more than 2000 phonemes without a pause"):
        list(parse_phonemes(text, ENGLISH))


def test_a_pronunciation_that_is_too_long_is_refused() -> None:
    with pytest.raises(CmaudioError, match="at most 200"):
        Pronunciations(ENGLISH, {"long": "ə" * (MAX_IPA + 1)})


def test_a_large_dictionary_is_read_quickly(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\n".join(f"word{i}\thəlˈoʊ" for i in range(20_000)), encoding="utf-8")
    with deadline(60):
        own = Pronunciations(ENGLISH, read_dictionary(file))
    assert own.word("word19999")


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<mark name='a'/>" * 5_000 + "cat", 2),
        ("<prosody rate='fast'/>" * 5_000 + "a cat sat", 4),
        ("<break/>" * 20_000 + "cat", 3),
        ("<sub alias='cat'>x</sub> " * 200, None),
    ],
)
def test_ssml_with_thousands_of_elements(inside: str, words: int | None) -> None:
    document = parse_ssml(f"<speak>{inside}</speak>")
    with deadline(60):
        phrases = list(document.apply(language("en-us").phrases([document.text])))
    assert words is None or sum(len(phrase.words) for phrase in phrases) == words


@pytest.mark.parametrize(
    ("attribute", "value", "found"),
    [("rate", "400%", (4.0, 0.0, 0.0)), ("pitch", "+24st", (1.0, 24.0, 0.0)), ("volume", "+20dB", (1.0, 0.0, 20.0))],
)
def test_nested_deliveries_stay_within_what_a_voice_can_do(
    attribute: str, value: str, found: tuple[float, float, float]
) -> None:
    nested = f"<prosody {attribute}='{value}'>" * 20 + "cat" + "</prosody>" * 20
    document = parse_ssml(f"<speak>{nested}</speak>")
    (phrase,) = document.apply(language("en-us").phrases([document.text]))
    delivery = phrase.words[0].delivery
    assert (delivery.rate, delivery.pitch, delivery.energy) == found


@pytest.mark.parametrize(
    ("element", "error"),
    [
        (f"<phoneme ph='{'ə' * 201}'>a</phoneme>", "1 to 200 letters"),
        ("<phoneme ph='ə/ə'>a</phoneme>", "without /"),
    ],
)
def test_a_phoneme_element_that_cannot_be_read_is_refused(element: str, error: str) -> None:
    with pytest.raises(CmaudioError, match=error):
        parse_ssml(f"<speak>{element}</speak>")


def _segment(count: int) -> Segment:
    (phrase,) = parse_phonemes("ə" * count, ENGLISH)
    ids = np.zeros((count, 4), np.int64)
    curve = np.zeros((count, 4))
    return Segment(
        tuple(phrase.words[0].phonemes), ids, np.full(count, 0.1), np.zeros(count, np.float32), curve, curve, 0.0, ()
    )


def test_a_long_timeline_keeps_only_what_is_near_in_arrays() -> None:
    timeline = Timeline()
    for _ in range(500):
        timeline.extend(_segment(20))
    assert timeline.end == pytest.approx(1000.0)
    for now in (0.05, 1.0, 400.0, 999.95):
        moments = timeline.look(np.array([now, now + 0.01]))
        assert moments.index[0] == pytest.approx(now / 0.1, abs=1)
        timeline.forget_before(int(moments.index[0]))
        assert len(timeline.names) <= 60
