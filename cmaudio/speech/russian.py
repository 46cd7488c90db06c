"""Spoken Russian from gruut's lexicon, which transcribes spelling rather than pronunciation.

The lexicon gives each letter its basic sound: его as /jeɡoː/, что as /t͡ɕtoː/, лоб with /b/, every unstressed vowel as
if it were stressed; stress is a length mark. A voice trained on that has to guess what it cannot know, such as which
/ɡ/ is pronounced [v]. Rules: Yanushevskaya and Bunčić, "Russian" (Journal of the International Phonetic Association
45 (2), 2015, 221-228), and Avanesov, "Русское литературное произношение" (1984).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from cmaudio.speech.phonemes import Phoneme, Word

_VOWELS = frozenset("aeiouɨɐəɪ")
_DEVOICED = {"b": "p", "v": "f", "d": "t", "z": "s", "ʐ": "ʂ", "ɡ": "k"}
_DEVOICED |= {f"{voiced}ʲ": f"{voiceless}ʲ" for voiced, voiceless in _DEVOICED.items() if voiced != "ʐ"}
_VOICED = {voiceless: voiced for voiced, voiceless in _DEVOICED.items()}
_ALWAYS_VOICELESS = frozenset(["x", "xʲ", "t͡s", "t͡ɕ", "ɕː"])
_SOFT_WITHOUT_MARK = frozenset(["t͡ɕ", "ɕː", "j"])
# Clitics, pronounced as one word with the next or the previous one.
_PROCLITICS = re.compile(
    "во?|ко?|со?|на|по|за|до|изо?|ото?|об?|обо|у|подо?|над|при|про|для|без|перед|через|из-за|из-под|не|ни|и|а"
)
_ENCLITICS = re.compile("бы?|же?|ли|ль")
_LETTER = re.compile("[бвгджзпстфцш]э|э[лмнрсф]")  # names of letters that are not also words
_WITH_V = re.compile(r".*[ое]го(ся)?|сегодня.*")
_WITH_G = re.compile(r".*много|не?строго|(не)?дорого|убого|полого|отлого|ого|лего|эго|диего")
_WITH_SH = re.compile(r"что|что-.*|чтоб.*|ничто|кое-что")
_WITH_SHN = re.compile(r"конечно|скучн|нескучн|нарочно|яичниц|скворечник|прачечн|.*иничн[аыеу]")
_WITHOUT_V = re.compile(r".*(?:здравств|чувств|безмолвств).*")
_WITHOUT_T = re.compile(r".*(?:счастлив|завистлив|совестлив).*")
_REFLEXIVE = re.compile(r".*ть?ся")

Sounds = tuple[str, ...]
_CLUSTERS: tuple[tuple[Sounds, Sounds], ...] = (  # written, said; the last sound may be soft
    (("s", "t͡ɕ"), ("ɕː",)),
    (("z", "t͡ɕ"), ("ɕː",)),
    (("ʐ", "t͡ɕ"), ("ɕː",)),
    (("s", "ʂ"), ("ʂ", "ʂ")),
    (("z", "ʂ"), ("ʂ", "ʂ")),
    (("z", "ʐ"), ("ʐ", "ʐ")),
    (("s", "ʐ"), ("ʐ", "ʐ")),
    (("ɡ", "k"), ("x", "k")),
    (("t", "s", "k"), ("t͡s", "k")),
    (("d", "s", "k"), ("t͡s", "k")),
    (("s", "t", "n"), ("s", "n")),
    (("z", "d", "n"), ("z", "n")),
    (("l", "n", "t͡s"), ("n", "t͡s")),
    (("r", "d", "t͡s"), ("r", "t͡s")),
)


def pronounce(words: Iterable[Word]) -> list[Word]:
    """Words with the lexicon's phonemes, and pauses, to words as pronounced in sequence."""
    said: list[Word] = []
    breath: list[Word] = []
    for word in words:
        if word.phonemes[0].is_pause:
            said += [*_breath(breath), word]
            breath = []
        else:
            breath.append(word)
    return said + _breath(breath)


def _breath(words: list[Word]) -> list[Word]:
    spoken = [_word(word) for word in words]
    feet = list(_feet([word.text.lower() for word in words]))
    for foot in feet:
        _reduce([spoken[i] for i in foot.words], foot.host)
    _agree(spoken, {foot.words[-1] for foot in feet})
    _join(spoken, [word.text.lower() for word in words], {foot.words[0] for foot in feet})
    return [replace(word, phonemes=tuple(said)) for word, said in zip(words, spoken, strict=True)]


# -- single words ------------------------------------------------------------------------------------------------------


def _word(word: Word) -> list[Phoneme]:
    """Marks stress, and corrects spellings that differ from the pronunciation."""
    text = word.text.lower()
    phonemes = [_stressed(phoneme) for phoneme in word.phonemes]
    if any(_WITH_V.fullmatch(part) and not _WITH_G.fullmatch(part) for part in text.split("-")):
        phonemes = _genitive(phonemes)
    if _WITH_SH.fullmatch(text):
        phonemes = _replaced(phonemes, ("t͡ɕ", "t"), ("ʂ", "t"))
    if _WITH_SHN.match(text):
        phonemes = _replaced(phonemes, ("t͡ɕ", "n"), ("ʂ", "n"))
    if _WITHOUT_V.fullmatch(text):
        phonemes = _replaced(phonemes, ("v", "s", "t", "v"), ("s", "t", "v"))
    if _WITHOUT_T.fullmatch(text):
        phonemes = _replaced(phonemes, ("s", "t", "l"), ("s", "l"))
    if _REFLEXIVE.fullmatch(text):
        phonemes = _replaced(_replaced(phonemes, ("tʲ", "sʲ", "a"), ("t͡s", "a")), ("t", "sʲ", "a"), ("t͡s", "a"))
    for written, said in _CLUSTERS:
        phonemes = _replaced(phonemes, written, said)
    return _with_stress(phonemes, text)


def _stressed(phoneme: Phoneme) -> Phoneme:
    vowel = phoneme.symbol.removesuffix("ː")
    return Phoneme(vowel, 1) if vowel in _VOWELS and vowel != phoneme.symbol else phoneme


def _genitive(phonemes: list[Phoneme]) -> list[Phoneme]:
    """The last /ɡ/ is [v]."""
    for i in range(len(phonemes) - 2, 0, -1):
        if phonemes[i].symbol == "ɡ":
            return [*phonemes[:i], Phoneme("v"), *phonemes[i + 1 :]]
    return phonemes


def _replaced(phonemes: list[Phoneme], written: Sounds, said: Sounds) -> list[Phoneme]:
    """Replace this sequence of sounds wherever it occurs; the last, if unchanged, keeps its softness."""
    for end in range(len(phonemes), len(written) - 1, -1):
        begin, last = end - len(written), phonemes[end - 1]
        if (*(p.symbol for p in phonemes[begin : end - 1]), last.symbol.removesuffix("ʲ")) == written:
            new = last if said[-1] == written[-1] else Phoneme(said[-1])
            phonemes = [*phonemes[:begin], *map(Phoneme, said[:-1]), new, *phonemes[end:]]
    return phonemes


def _with_stress(phonemes: list[Phoneme], text: str) -> list[Phoneme]:
    """Stress for a word that the lexicon lacks: on ё, or else in its middle, which is right for half of the lexicon."""
    vowels = [i for i, phoneme in enumerate(phonemes) if phoneme.symbol in _VOWELS]
    if not vowels or any(phoneme.stress for phoneme in phonemes):
        return phonemes
    order = [letter for letter in text if letter in "аеёиоуыэюя"]
    if "ё" in order and len(order) == len(vowels):
        at = vowels[order.index("ё")]
    else:
        open_syllable = vowels[-1] == len(phonemes) - 1
        at = vowels[-min(len(vowels), max(2, (len(vowels) + 1 + open_syllable) // 2))]
    return [Phoneme(p.symbol, 1) if i == at else p for i, p in enumerate(phonemes)]


# -- sequences of words ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Foot:
    """Words pronounced as one; the word at `host` is stressed, the others are clitics."""

    words: Sequence[int]
    host: int


def _feet(texts: Sequence[str]) -> Iterator[_Foot]:
    foot: list[int] = []
    host = -1
    for i, text in enumerate(texts):
        if host >= 0 and not _ENCLITICS.fullmatch(text):
            yield _Foot(foot, host)
            foot, host = [], -1
        if host < 0 and (not _PROCLITICS.fullmatch(text) or _is_letter(texts, i)):
            host = len(foot)
        foot.append(i)
    if foot:
        yield _Foot(foot, host if host >= 0 else len(foot) - 1)


def _is_letter(texts: Sequence[str], at: int) -> bool:
    """Whether the word is next to the name of a letter, like А in А. С. and in США."""
    return any(_LETTER.fullmatch(text) for text in (*texts[max(0, at - 1) : at], *texts[at + 1 : at + 2]))


def _reduce(words: list[list[Phoneme]], host: int) -> None:
    """Reduces the unstressed vowels of a foot, in place."""
    places = [(w, i) for w, word in enumerate(words) for i, phoneme in enumerate(word) if phoneme.symbol in _VOWELS]
    stressed = [n for n, (w, i) in enumerate(places) if w == host and words[w][i].stress]
    before = ["", *(phoneme.symbol for word in words for phoneme in word)]
    offsets = [0, *accumulate(map(len, words))]
    for n, (w, i) in enumerate(places):
        if n in stressed:
            continue
        pretonic = n + 1 in stressed
        ending = i == len(words[w]) - 1 and bool(stressed) and n > stressed[-1]
        words[w][i] = Phoneme(_reduced(words[w][i].symbol, before[offsets[w] + i], pretonic, ending))


def _reduced(vowel: str, before: str, pretonic: bool, ending: bool) -> str:
    soft = before.endswith("ʲ") or before in _SOFT_WITHOUT_MARK
    if vowel in ("a", "o"):
        if soft:
            return "ə" if ending else "ɪ"
        return "ɐ" if pretonic or not before or before in _VOWELS else "ə"
    if vowel == "e":
        return "ɪ" if soft or not before or before in _VOWELS else "ɨ"
    return "ɪ" if vowel == "i" else vowel


def _agree(words: list[list[Phoneme]], ends: set[int]) -> None:
    """Obstruents assimilate in voicing to the next one and devoice at a foot's end, in place; /v/ only assimilates."""
    ahead: bool | None = None
    for w in range(len(words) - 1, -1, -1):
        word = words[w]
        if w in ends and ahead is None:
            ahead = False
        for i in range(len(word) - 1, -1, -1):
            symbol = word[i].symbol
            if symbol in _ALWAYS_VOICELESS:
                ahead = False
            elif symbol in _DEVOICED or symbol in _VOICED:
                gives = symbol not in ("v", "vʲ")
                if ahead is not None:
                    word[i] = Phoneme((_VOICED if ahead else _DEVOICED).get(symbol, symbol))
                elif gives:
                    ahead = symbol in _DEVOICED
            else:
                ahead = None


def _join(words: list[list[Phoneme]], texts: Sequence[str], begins: set[int]) -> None:
    """Changes at word boundaries within a foot, in place: в институт with [ɨ], без шума with two [ʂ]."""
    for w in range(1, len(words)):
        if not words[w - 1] or not words[w] or (w in begins and texts[w] != "и"):
            continue
        last, first = words[w - 1][-1], words[w][0]
        if first.symbol in ("i", "ɪ") and _is_hard(last.symbol):
            words[w][0] = Phoneme("ɨ", first.stress)
        if first.symbol in ("ʂ", "ʐ") and last.symbol in ("s", "z"):
            words[w - 1][-1] = Phoneme(first.symbol)


def _is_hard(symbol: str) -> bool:
    return not symbol.endswith("ʲ") and symbol not in _SOFT_WITHOUT_MARK and symbol not in _VOWELS
