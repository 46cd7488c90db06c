"""Where Russian words have their stress: everyday words, homographs in context, and marks that are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmaudio.speech.language import language
from cmaudio.speech.russian_homographs import choose
from cmaudio.speech.russian_stress import VOWELS, Accent, accent

FOLDER = Path(__file__).parent / "stress"
WORDS_ALLOWED, HOMOGRAPHS_ALLOWED = 0, 5  # wrong ones among 544 and 253


def cases(name: str) -> Iterator[tuple[list[str], int, Accent]]:
    """The words of each line, е for ё in the one with a plus before its stressed vowel; its place; how it is said."""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        words = line.replace(",", "").split()
        at = next(i for i, word in enumerate(words) if "+" in word)
        vowel = sum(letter in VOWELS for letter in words[at][: words[at].index("+")])
        right = Accent(words[at].replace("+", ""), vowel)
        yield [w if i != at else right.word.replace("ё", "е") for i, w in enumerate(words)], at, right


@pytest.mark.parametrize(("name", "allowed"), [("words.txt", WORDS_ALLOWED), ("homographs.txt", HOMOGRAPHS_ALLOWED)])
def test_stress(name: str, allowed: int) -> None:
    wrong = [
        (" ".join(words), given)
        for words, at, right in cases(name)
        if (given := choose(words, at) or accent(words[at])) != right
    ]
    assert len(wrong) <= allowed, wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("замо́к", "zɐmˈok ."),
        ("за́мок", "zˈamək ."),
        ("шесть", "ʂˈestʲ ."),
        ("все небо", "fsʲˈe nʲˈebə ."),
        ("всё", "fsʲˈo ."),
        ("Я все понял", "jˈa fsʲˈo pˈonʲɪl ."),
        ("Мы все поняли", "mˈɨ fsʲˈe pˈonʲɪlʲɪ ."),
        ("перед домом", "pʲɪrʲɪd dˈoməm ."),
        ("вода в москве", "vɐdˈa v mɐskvʲˈe ."),
        ("здравствуйте", "zdrˈastvujtʲɪ ."),
        ("но он", "nˈo ˈon ."),
        ("отель", "ɐtˈelʲ ."),
        ("шел", "ʂˈol ."),
    ],
)
def test_words_are_transcribed_as_spoken(text: str, expected: str) -> None:
    phrases = language("ru").phrases([text])
    assert " ".join("".join(map(str, w.phonemes)) for p in phrases for w in p.words) == expected
