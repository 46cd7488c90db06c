"""Russian homographs: за́мок and замо́к, ру́ки and руки́, все and всё.

Neighbouring words decide. Most pairs are two forms of a noun, genitive singular and plural, which endings and
prepositions distinguish; the others have a default reading, and cues for the second one. A cue is searched for in the
neighbouring words, with "_" for the homograph itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cmaudio.speech.russian_stress import VOWELS, Accent, readings

_AROUND = 4  # words on either side
_TABLE = Path(__file__).parent / "data" / "russian_homographs.txt"


def _parsed() -> dict[str, tuple[str, list[tuple[str, re.Pattern[str]]]]]:
    table = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        word, usual, *others = (part.strip() for part in line.split("|", 2))
        cues = []
        if others and ":" in others[0]:
            reading, _, cue = others[0].partition(":")
            if cue.strip():
                cues.append((reading.strip(), re.compile(cue.strip())))
        table[word] = (usual, cues)
    return table


_CUES = _parsed()
_BEFORE_GENITIVE = frozenset(
    "без до для из из-за из-под от ото у около возле вокруг после кроме против вдоль среди мимо вместо ради насчёт "
    "с со нет не ни две три четыре обе два оба полтора полторы нету много мало сколько ярче выше ниже шире больше "
    "меньше половина конец начало край центр часть правила берег столица площадь клубы стакан кусок".split()
)
_BEFORE_PLURAL = frozenset(
    "меня тебя него неё нее нас вас них открой закрой помой мой в во на за про через под все эти те "
    "мои твои свои наши ваши какие такие многие некоторые разные сами оба её его "
    "их и но а или как где когда о об".split()
)
# Neuters with final stress in the genitive: лица́, and ли́ца in the plural.
_END_IN_SINGULAR = frozenset(
    "лица окна вина письма числа пятна яйца кольца ядра зерна гнезда стекла колеса весла ведра ребра".split()
)
_OF_SINGULAR = re.compile(r".*(?:ой|ей|ого|его)")
_OF_PLURAL = re.compile(r".*(?:ые|ие)")
_VERB = re.compile(
    r".*(?:ть|ти|чь|[аеиуыяю]л|[аеиуыяё]ла|[аеиуыя]ло|[аеиуыя]ли|[еиёаяую]т|[еиё]м|шь|йте|ите|[аеоу]й|ся|сь)"
)


def choose(words: Sequence[str], at: int) -> Accent | None:
    """The reading of the word at `at` among the words of a phrase, all in lower case; None if it has only one."""
    word = words[at]
    if word in _CUES:
        usual, cues = _CUES[word]
        around = " ".join([*words[max(0, at - _AROUND) : at], "_", *words[at + 1 : at + 1 + _AROUND]])
        return _accent(next((reading for reading, cue in cues if cue.search(around)), usual))
    both = readings(word)
    if len(both) == 2 and (noun := _noun(word, both)) is not None:
        singular, plural = noun
        return singular if _genitive(words, at) else plural
    return None


def _accent(marked: str) -> Accent:
    if "+" not in marked:
        return Accent(marked, 0)
    return Accent(marked.replace("+", ""), sum(letter in VOWELS for letter in marked[: marked.index("+")]))


def _noun(word: str, both: Sequence[Accent]) -> tuple[Accent, Accent] | None:
    """The readings as genitive singular and plural, if a word is such a pair: руки́ and ру́ки, сло́ва and слова́."""
    last = sum(letter in VOWELS for letter in word) - 1
    on_end = [accent for accent in both if accent.vowel == last]
    on_stem = [accent for accent in both if accent.vowel != last]
    if len(on_end) != 1 or len(on_stem) != 1:
        return None
    if word.endswith(("ы", "и")) or word in _END_IN_SINGULAR:
        return on_end[0], on_stem[0]
    return (on_stem[0], on_end[0]) if word.endswith(("а", "я")) else None


def _genitive(words: Sequence[str], at: int) -> bool:
    if at == 0:
        return False
    before = words[at - 1]
    if before in _BEFORE_GENITIVE:
        return True
    if before in _BEFORE_PLURAL or _OF_PLURAL.fullmatch(before):
        return False
    return _OF_SINGULAR.fullmatch(before) is not None or _VERB.fullmatch(before) is None
