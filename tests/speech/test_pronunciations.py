"""Pronunciations given by the user: dictionaries, and IPA for one word inside a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ENGLISH

from cmaudio.errors import CmaudioError
from cmaudio.speech.language import language
from cmaudio.speech.pronunciations import Pronunciations, read_dictionary

OWN = {"nginx": "ˈɛnd͡ʒɪn ˈɛks", "Tomato": "təmˈɑtoʊ"}


def said(text: str, own: Pronunciations) -> str:
    (phrase,) = language("en-us").phrases([text], own)
    return " ".join("".join(map(str, word.phonemes)) for word in phrase.words)


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("tomato", "təmˈɑtoʊ ."),
        ("TOMATO", "təmˈɑtoʊ ."),
        ("nginx", "ˈɛnd͡ʒɪnˈɛks ."),
        ("a [read](/ɹˈɛd/) book", "ə ɹˈɛd bˈʊk ."),
        ("[Worcester](/wˈʊstɚ/), and more", "wˈʊstɚ , ænd mˈɔɹ ."),
        ("a [note] here", "ə nˈoʊt hˈɪɹ ."),
        ("[K8s](/kˈeɪts/) rocks", "kˈeɪts ɹˈɑks ."),
        ("[C++](/sˈi/) code", "sˈi kˈoʊd ."),
        ("Dr. [Nguyen](/wˈɪn/) II", "dˈɑktɚ wˈɪn ðə sˈɛkənd ."),
        ("nginx's", "ˈɛnd͡ʒɪnˈɛksɪz ."),
        ("St. Tomato", "sˈeɪnt təmˈɑtoʊ ."),
    ],
)
def test_given_pronunciations_come_before_the_lexicon(text: str, phonemes: str) -> None:
    assert said(text, Pronunciations(ENGLISH, OWN)) == phonemes


@pytest.mark.parametrize("word", ["SQL", "K8s", "C++", "MP3", "AT&T", "Jean-Luc", "€", "O'Brien", "ß"])
@pytest.mark.parametrize("around", ["{}", "({})", "the {} now", '"{}",'])
def test_any_word_may_be_in_the_dictionary(word: str, around: str) -> None:
    text = around.format(word)
    (phrase,) = language("en-us").phrases([text], Pronunciations(ENGLISH, {word: "təmˈɑtoʊ"}))
    (found,) = (each for each in phrase.words if "".join(map(str, each.phonemes)) == "təmˈɑtoʊ")
    assert (found.text, text[found.start : found.end]) == (word, word)
    assert not phrase.unspoken


def test_a_dictionary_of_russian_words() -> None:
    symbols = tuple("дᵊatmˈɐ")
    (phrase,) = language("ru-ru").phrases(["Это МГТУ-2 там."], Pronunciations(symbols, {"МГТУ-2": "mat"}))
    assert [word.text for word in phrase.words] == ["Это", "МГТУ-2", "там", "."]


def test_an_entry_of_two_words_is_refused() -> None:
    with pytest.raises(CmaudioError, match="more than one word"):
        Pronunciations(ENGLISH, {"New York": "nˈu"})


def test_offsets_of_a_word_with_ipa_are_those_of_the_word() -> None:
    text = "see [Worcester](/wˈʊstɚ/) now"
    (phrase,) = language("en-us").phrases([text], Pronunciations(ENGLISH))
    assert [text[word.start : word.end] for word in phrase.words[:3]] == ["see", "Worcester", "now"]


def test_ipa_that_the_voice_lacks_is_named() -> None:
    with pytest.raises(CmaudioError, match="'ʏks' is not a phoneme"):
        Pronunciations(ENGLISH, {"x": "ʏks"})


def test_dictionary_files(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# my words\nnginx\tˈɛnd͡ʒɪn ˈɛks\n\ntomato təmˈɑtoʊ  # as in Bath\n", encoding="utf-8")
    assert read_dictionary(file) == {"nginx": "ˈɛnd͡ʒɪn ˈɛks", "tomato": "təmˈɑtoʊ"}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"nginx\n", "line 1: 'nginx' has no IPA"), (b"\xff\xfe\x00", "UTF-8"), (None, "dictionary .* cannot be read")],
)
def test_dictionaries_that_cannot_be_read_say_why(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "words.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CmaudioError, match=message):
        read_dictionary(file)
