"""The kind of a stretch, and the word on which its melody turns, from phonemes as the front end gives them."""

from __future__ import annotations

import pytest

from cmaudio.speech.features import phoneme_ids
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import EDGE, Phoneme, Phrase
from cmaudio.speech.sentences import LONGEST_WAY, Place, SentenceKind, StretchReader, prosody_ids

S, Y, W, E, C = SentenceKind
ENGLISH = [
    ("The door is open.", [S]),
    ("Is the door open?", [Y]),
    ("You are leaving tomorrow?", [Y]),
    ("Where is the door?", [W]),
    ("And with whom did you speak?", [W]),
    ("In which house does he live?", [W]),
    ("What's that?", [W]),
    ("Who's there?", [W]),
    ("Do you know what time it is?", [Y]),
    ("Would you like tea or coffee?", [W]),
    ("Close the door!", [E]),
    ("If you want to go, go now.", [C, S]),
    ("When you are ready, will you call me?", [C, Y]),
    ("What do you think about it, my friend?", [C, W]),
    ("What do you think? Is it good?", [W, Y]),
]
RUSSIAN = [
    ("Дверь открыта.", [S], None),
    ("Ты придёшь завтра?", [Y], "придёшь"),
    ("Вы говорите по-русски?", [Y], "говорите"),
    ("Придёт ли он вечером?", [Y], "придёт"),
    ("Вы видели этот фильм?", [Y], "видели"),
    ("Это твоя книга?", [Y], "книга"),
    ("Тебе холодно?", [Y], "холодно"),
    ("Они нашли дорогу?", [Y], "нашли"),
    ("Она пришла вчера?", [Y], "пришла"),
    ("Где ты живёшь?", [W], None),
    ("В каком городе ты родился?", [W], None),
    ("С кем ты говорил?", [W], None),
    ("Хватит!", [E], None),
]


def stretches(phrases: list[Phrase], code: str) -> list[tuple[SentenceKind, str]]:
    """The kind of each stretch, and its word."""
    reader, found = StretchReader(code), []
    for phrase in phrases:
        begin: list[tuple[str, Phoneme]] = []
        for word in phrase.words:
            begin += [(word.text, phoneme) for phoneme in word.phonemes]
            if word.is_pause:
                stretch = reader.read([phoneme for _, phoneme in begin])
                found.append((stretch.kind, begin[stretch.turn][0]))
                begin = []
    return found


@pytest.mark.parametrize(("text", "kinds"), ENGLISH)
def test_english_stretches_have_the_kind_of_their_sentence(text: str, kinds: list[SentenceKind]) -> None:
    pytest.importorskip("gruut")
    assert [kind for kind, _ in stretches(list(language("en-us").phrases([text])), "en-us")] == kinds


@pytest.mark.parametrize(("text", "kinds", "word"), RUSSIAN)
def test_russian_questions_turn_on_the_word_asked_about(text: str, kinds: list[SentenceKind], word: str | None) -> None:
    pytest.importorskip("gruut_lang_ru")
    found = stretches(list(language("ru-ru").phrases([text])), "ru-ru")
    assert [kind for kind, _ in found] == kinds
    if word is not None:
        assert found[-1][1].lower() == word


def test_columns_say_kind_place_and_way_to_the_end() -> None:
    phonemes = [Phoneme.of(text) for text in (EDGE, " ɪ", "z", " ˈɪ", "t", " ɪ", "t", "?")]
    stretch = StretchReader("en").read(phonemes)
    columns = prosody_ids(phoneme_ids(phonemes, ["", "?", "ɪ", "t", "z"]), stretch)[:, 3:].T.tolist()
    assert columns[0] == [Y] * 8
    assert columns[1] == [Place.BEFORE] * 3 + [Place.IN_WORD] * 2 + [Place.AFTER] * 3
    assert columns[2] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert stretch.turn == 3


@pytest.mark.parametrize("texts", [[","], ["", "."], ["a"] * 40 + ["."], ["", "?"], ["a", "ˈa", "?"]])
def test_stretches_without_words_or_word_boundaries_are_read(texts: list[str]) -> None:
    stretch = StretchReader("xx").read([Phoneme.of(text) for text in texts])
    assert stretch.columns.shape == (len(texts), 3)
    assert stretch.columns[:, 2].max() <= LONGEST_WAY
    assert 0 <= stretch.turn < len(texts)
