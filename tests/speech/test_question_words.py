"""The lists of sounds agree with what the front end says of the words."""

from __future__ import annotations

import pytest

from cmaudio.speech.language import language
from cmaudio.speech.question_words import opens_with_question_word

WORDS = {
    "en-us": "what who whom whose where when why which how what's who's where's how's",
    "ru-ru": "что кто где когда куда откуда почему зачем как какой какая какое какие сколько чей чья чьё чьи чего чему "
    "кого кому кем чем каким какую какого какому каких который",
}


@pytest.mark.parametrize(("code", "word"), [(code, word) for code, words in WORDS.items() for word in words.split()])
def test_question_words_are_known_by_their_sounds(code: str, word: str) -> None:
    pytest.importorskip("gruut_lang_ru" if code == "ru-ru" else "gruut")
    phrase = language(code).phrase(word, "?")
    sounds = [tuple(phoneme.symbol for phoneme in said.phonemes) for said in phrase.words if not said.is_pause]
    assert opens_with_question_word(sounds, code[:2])


OTHERS = [("en-us", "the wise man"), ("en-us", "is that what"), ("ru-ru", "ты знаешь где")]


@pytest.mark.parametrize(("code", "text"), OTHERS)
def test_other_openings_are_no_questions_with_a_question_word(code: str, text: str) -> None:
    pytest.importorskip("gruut_lang_ru" if code == "ru-ru" else "gruut")
    phrase = language(code).phrase(text, "?")
    sounds = [tuple(phoneme.symbol for phoneme in said.phonemes) for said in phrase.words if not said.is_pause]
    assert not opens_with_question_word(sounds, code[:2])
