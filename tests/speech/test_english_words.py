"""English as it is pronounced: corrected words, pauses, what is reported, and the way back into the text."""

from __future__ import annotations

import pytest

from cmaudio.speech.language import language
from cmaudio.speech.text.roman_numerals import roman

PRONOUNCED = [
    ("the updates", "ðə ˈʌpdˌeɪts"),
    ("it upgrades", "ɪt ˈʌpɡɹˌeɪdz"),
    ("uploads", "ˈʌplˌoʊdz"),
    ("encoder", "ɪnkˈoʊdɚ"),
    ("autoencoders", "ˌɔtoʊɪnkˈoʊdɚz"),
    ("penknife", "pˈɛnnˌaɪf"),
    ("penknives", "pˈɛnnˌaɪvz"),
    ("jackknife", "d͡ʒˈæknˌaɪf"),
    ("pocketknives", "pˈɑkɪtnˌaɪvz"),
]


@pytest.mark.parametrize(("written", "phonemes"), PRONOUNCED)
def test_words_that_the_lexicon_has_wrong_are_corrected(written: str, phonemes: str) -> None:
    words = language("en-us").phrase(written).words[:-1]
    assert " ".join("".join(map(str, word.phonemes)) for word in words) == phonemes


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("It weighs 5 lbs. of course.", 1),
        ("We live at 12 Oak Ave., Apt. 5.", 2),
        ("We meet on Mon. and Fri. as always.", 1),
        ("We meet at 5 a.m. tomorrow.", 1),
        ("We meet at 5 a.m. Then we go.", 2),
        ("At 9 p.m. the bar closes.", 1),
        # The sentence goes on after no more than its time or place.
        ("At 9 a.m. I left.", 1),
        ("At about 9:30 a.m. I'd left.", 1),
        ("On Monday at 9 a.m. Tom left.", 1),
        ("“By 5 p.m. I was home.”", 1),
        ("From 9 a.m. to 5 p.m. I work.", 1),
        ("Yesterday at 9 a.m. Mary left.", 1),
        ("In Jan. I went home.", 1),
        ("On Dec. 25 at 9 a.m. I woke.", 1),
        ("After 20 min. I left.", 1),
        ("After 5 mi. I was tired.", 1),
        ("In the U.S. I was happy.", 1),
        ("At Apple Inc. I was happy.", 1),
        ("But in the U.K. I lived alone.", 1),
        # It ends where more was said, or where no name has a capital.
        ("We meet at 9 a.m. I left.", 2),
        ("It was 9 a.m. I left.", 2),
        ("Tom left at 9 a.m. Mary stayed.", 2),
        ("We meet at 5 p.m. Tomorrow we rest.", 2),
        ("At 5 p.m. Tomorrow we rest.", 2),
        ("At 9 a.m. The show starts.", 2),
        ("I live in the U.S. I like it.", 2),
        ("We moved in Jan. I was ill.", 2),
        ("It costs 1,482,905 dollars.", 1),
    ],
)
def test_abbreviated_times_and_grouped_numbers_do_not_pause(text: str, phrases: int) -> None:
    found = list(language("en-us").phrases([text]))
    assert len(found) == phrases
    assert sum(word.is_pause for phrase in found for word in phrase.words) == phrases


@pytest.mark.parametrize(
    "text", ["My brother—Tom—is tall.", "My brother -- Tom -- is tall.", "My brother (Tom) is tall."]
)
def test_dashes_and_brackets_are_pauses(text: str) -> None:
    words = [word for phrase in language("en-us").phrases([text]) for word in phrase.words]
    assert ["|" if word.is_pause else word.text for word in words] == "My brother | Tom | is tall |".split()


@pytest.mark.parametrize("text", ["→ next", "a → b", "5🂡", "2⟁3"])
def test_a_sign_without_a_name_is_reported_wherever_it_stands(text: str) -> None:
    assert [reason for phrase in language("en-us").phrases([text]) for reason in phrase.unspoken]


def test_words_point_back_into_the_text() -> None:
    text = "He paid $5 million, on Dec. 25. Was it the U.S. Army?"
    words = [word for phrase in language("en-us").phrases([text]) for word in phrase.words if word.start >= 0]
    assert [text[word.start : word.end] for word in words if word.text in ("five", "million", "dollars")] == (
        ["$5 million"] * 3
    )
    assert {text[word.start : word.end] for word in words if word.text in ("december", "fifth")} == {"Dec. 25"}
    assert [text[word.start : word.end] for word in words][-3:] == ["U.S.", "U.S.", "Army"]


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("I", 1),
        ("IV", 4),
        ("XIV", 14),
        ("XL", 40),
        ("XCIX", 99),
        ("IIII", None),
        ("VX", None),
        ("", None),
        ("MIX", None),
    ],
)
def test_roman_numerals(numeral: str, value: int | None) -> None:
    assert roman(numeral) == value
