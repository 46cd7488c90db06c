"""Text to phonemes: phrases of a growing text, what is said of it, what cannot be said."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.speech.language import Language, language
from cmaudio.speech.phonemes import PAUSES, Phoneme, Word, parse_phonemes
from cmaudio.speech.phrases import MAX_WORDS, read_phrases

TEXT = """Well, Dr. Smith paid $3.50, didn't he? "Yes!" he said; then left...
A second paragraph -- it has J. K. Rowling, and no end"""


def spelled(text: str, code: str = "en-us") -> str:
    return " ".join(
        "".join(map(str, word.phonemes)) for phrase in language(code).phrases([text]) for word in phrase.words
    )


def unspoken(text: str, code: str = "en-us") -> list[str]:
    return [reason for phrase in language(code).phrases([text]) for reason in phrase.unspoken]


def test_phrases_end_with_their_marks() -> None:
    assert [(piece.text, piece.mark) for piece in read_phrases([TEXT])] == [
        ("Well, Dr. Smith paid $3.50", ","),
        ("didn't he", "?"),
        ('"Yes', "!"),
        ("he said; then left", "."),
        ("A second paragraph", "—"),
        ("it has J. K. Rowling", ","),
        ("and no end", "."),
    ]


@pytest.mark.parametrize(
    ("text", "mark"),
    [("What?!", "?"), ("What!?", "?"), ('"Stop!", he said.', "!"), ("Really?..", "?"), ("Yes!..", "!"), ("So.", ".")],
)
def test_of_several_marks_the_one_that_gives_the_melody_counts(text: str, mark: str) -> None:
    assert next(read_phrases([text])).mark == mark


@given(st.text(alphabet="ab .,!?\n-—'\"I", max_size=80), st.data())
@settings(max_examples=200, deadline=None)
def test_phrases_do_not_depend_on_how_the_text_comes(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert list(read_phrases(pieces)) == list(read_phrases([text])) == list(read_phrases(list(text)))


def test_a_phrase_comes_as_soon_as_its_end_is_known() -> None:
    given_out: list[str] = []

    def words() -> object:
        for word in ["One", "two", "three.", "Four", "five"]:
            yield word + " "
            given_out.append(word)

    first = next(read_phrases(words()))  # type: ignore[arg-type]
    assert first[:2] == ("One two three", ".")
    assert given_out == ["One", "two"]


def test_no_phrase_is_longer_than_can_be_said() -> None:
    phrases = list(read_phrases(["word " * 100]))
    assert [len(piece.text.split()) for piece in phrases] == [MAX_WORDS] * 4 + [100 % MAX_WORDS]
    assert [piece.mark for piece in phrases] == [","] * 4 + ["."]


def test_english_is_normalised_and_function_words_lose_their_stress() -> None:
    assert spelled("He paid $5.") == "hi pˈeɪd fˈaɪv dˈɑlɚz ."
    assert spelled("naïve café") == spelled("naive cafe")


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "...", "?!", "— - *"])
def test_nothing_to_say_gives_nothing(text: str) -> None:
    assert spelled(text) == ""
    assert unspoken(text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello 😀", "'😀': a sign without a name here"),
        ("hello привет", "'привет': not in the script of en-us"),
        ("a <b>bold</b> word", "'<b>': markup"),
        ("hello " + "a" * 61, f"'{'a' * 40}': longer than 60 letters"),
    ],
)
def test_unpronounceable_text_is_reported_and_the_rest_is_spoken(text: str, reason: str) -> None:
    assert reason in unspoken(text)
    assert spelled(text) not in ("", ".")


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_front_end(text: str) -> None:
    for phrase in language("en-us").phrases([text]):
        assert phrase.words[-1].phonemes[0].symbol in PAUSES


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "word " * 4_000, "." * 20_000, "-" * 20_000, "1" * 20_000, "a,b;c " * 200]
)
def test_very_long_lines(text: str) -> None:
    began = time.monotonic()
    for phrase in language("en-us").phrases([text]):
        assert len(phrase.words) < 20 * MAX_WORDS
    assert time.monotonic() - began < 120  # no limit of speed, but of what grows with the square of the length


@pytest.mark.parametrize(("code", "hint"), [("de-de", "gruut-lang-de"), ("xx", "gruut-lang-xx"), ("../en", "gruut")])
def test_a_language_that_is_not_installed_is_named_with_its_package(code: str, hint: str) -> None:
    with pytest.raises(CmaudioError, match="no data for language") as error:
        Language(code)
    assert hint in str(error.value)


def test_phoneme_strings() -> None:
    symbols = ["", *PAUSES, "h", "ə", "l", "oʊ", "o", "w", "ɚ", "d"]
    (first, second) = parse_phonemes("həlˈoʊ, wˈɚld", symbols)
    assert first.phonemes == [Phoneme("h", 0, True), Phoneme("ə"), Phoneme("l"), Phoneme("oʊ", 1), Phoneme(",")]
    assert [word.text for word in second.words] == ["wˈɚld", "."]


def test_a_phoneme_is_read_as_it_is_written() -> None:
    word = Word("owe", (Phoneme("oʊ", 1), Phoneme("z")))
    assert [phoneme.written for phoneme in word.phonemes] == [" ˈoʊ", "z"]
    assert tuple(Phoneme.of(phoneme.written) for phoneme in word.phonemes) == word.phonemes
    assert Phoneme.of("") == Phoneme("")


def test_an_unknown_phoneme_error_lists_the_known_ones() -> None:
    with pytest.raises(CmaudioError, match="'qx' in 'həqx' is not a phoneme of this voice; it has h ə"):
        list(parse_phonemes("həqx", ["", "h", "ə"]))
