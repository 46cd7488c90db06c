"""Words that decide the intonation of a question, in phonemes: question words, "or", and the word that is asked about.

The lists are in the IPA of the front end: words separated by spaces, phonemes by dots, without stress.
"""

from __future__ import annotations

from collections.abc import Sequence

Sounds = tuple[str, ...]
_OPENERS_AT_MOST = 2  # words before the question word: "and in which house"


def _listed(text: str) -> frozenset[Sounds]:
    return frozenset(tuple(word.split(".")) for word in text.split())


_QUESTION_WORDS = {
    "en": _listed(
        "w.ʌ.t h.u h.u.m h.u.z w.ɛ.ɹ w.ɛ.n w.aɪ w.ɪ.t͡ʃ h.aʊ w.ʌ.t.s w.ɛ.ɹ.z w.ɛ.n.z h.aʊ.z w.aɪ.z w.ʌ.t.ɚ w.ʌ.t.l "
        "h.u.l h.u.d"
    ),
    "ru": _listed(
        "ʂ.t.o k.t.o ɡ.dʲ.e k.ɐ.ɡ.d.a k.u.d.a ɐ.t.k.u.d.ə p.ə.t͡ɕ.ɪ.m.u z.ɐ.t͡ɕ.e.m k.a.k k.ɐ.k.o.j k.ɐ.k.a.j.ə "
        "k.ɐ.k.o.j.ɪ k.ɐ.kʲ.i.j.ɪ k.ɐ.k.o.f k.ɐ.k.o.m k.ɐ.kʲ.i.m k.ɐ.k.u.j.u k.ɐ.k.o.v.ə k.ɐ.k.o.m.u k.ɐ.kʲ.i.x "
        "k.ɐ.kʲ.i.mʲ.ɪ s.k.o.lʲ.k.ə t͡ɕ.e.j t͡ɕ.j.a t͡ɕ.j.o t͡ɕ.j.i t͡ɕ.j.e.j t͡ɕ.j.u t͡ɕ.j.i.x t͡ɕ.ɪ.v.o "
        "t͡ɕ.ɪ.m.u t͡ɕ.e.m t͡ɕ.o.m k.ɐ.v.o k.ɐ.m.u kʲ.e.m k.o.m k.ɐ.t.o.r.ɨ.j k.ɐ.t.o.r.ə.j.ə k.ɐ.t.o.r.ə.v.ə "
        "k.ɐ.t.o.r.ə.m ɐ.t.t͡ɕ.ɪ.v.o n.ɐ.s.k.o.lʲ.k.ə"
    ),
}
# What may precede a question word: conjunctions and prepositions.
_OPENERS = {
    "en": _listed(
        "æ.n.d b.ʌ.t s.oʊ ɔ.ɹ w.ɛ.l ð.ɛ.n n.aʊ oʊ.k.eɪ ɪ.n æ.t ɔ.n f.ɚ f.ɹ.ʌ.m t.ə b.aɪ w.ɪ.θ ə.v ə.b.aʊ.t s.ɪ.n.s "
        "ʌ.n.t.ɪ.l ʌ.n.d.ɚ ə.p.ɑ.n"
    ),
    "ru": _listed(
        "a i n.o n.ə n.u t.a.k d.a f v s z k ɡ u n.ɐ n.ə ɐ ɐ.t ɐ.d ɐ.b d.ɐ z.ɐ p.ɐ i.z i.s bʲ.e.z p.ɐ.t p.ɐ.d "
        "n.ɐ.t n.ɐ.d d.lʲ.ɪ d.lʲ.a"
    ),
}
_OR = {"en": _listed("ɔ.ɹ"), "ru": _listed("i.lʲ.ɪ ɪ.lʲ.i ɪ.lʲ.ɪ")}
_LI = _listed("lʲ.ɪ lʲ.i")
_VOWELS = frozenset("a o e i ɨ u ɐ ə ɪ ʊ æ ɵ ʉ".split())
_NO_VERBS = _listed("n.a.ʂ v.a.ʂ n.a.ʐ v.a.ʐ e.tʲ.ɪ dʲ.e.tʲ.ɪ")
_PAST = ("l", "l.ə", "l.a", "lʲ.ɪ", "lʲ.i", "l.s.ə", "lʲ.i.sʲ", "lʲ.ɪ.sʲ", "l.ə.sʲ", "l.a.sʲ", "l.o.sʲ")

_WENT = _listed("ʂ.l.a ʂ.lʲ.i ʂ.l.o")  # пришла, нашли: frequent, and without a vowel before the ending


def opens_with_question_word(words: Sequence[Sounds], base: str) -> bool:
    """Whether a stretch opens with a question word, such as "and with whom".

    Args:
        words: the sounds of each word.
        base: the language, two letters.
    """
    known, openers = _QUESTION_WORDS.get(base, frozenset()), _OPENERS.get(base, frozenset())
    for word in words[: _OPENERS_AT_MOST + 1]:
        if word in known:
            return True
        if word not in openers:
            return False
    return False


def offers_a_choice(words: Sequence[Sounds], base: str) -> bool:
    """Whether it contains "or": such questions fall at their end."""
    return any(word in _OR.get(base, ()) for word in words)


def asked_word(words: Sequence[Sounds], base: str) -> int | None:
    """Index of the word that a Russian yes/no question asks about: before "li", or its verb; None: the last one."""
    if base != "ru":
        return None
    for at, word in enumerate(words):
        if at and word in _LI:
            return at - 1
    return next((at for at, word in enumerate(words) if _is_russian_verb(word)), None)


def _is_russian_verb(word: Sounds) -> bool:
    """Judged by the endings of the second person and the past, which nouns rarely have."""
    if word in _NO_VERBS or len(word) < 3:
        return False
    if word[-1] in ("ʂ", "ʐ") and word[-2] in _VOWELS:
        return True
    if word[-2:] == ("tʲ", "ɪ") and word[-3] in _VOWELS:
        return True
    if word[-3:] in _WENT:
        return True
    return any(_ends_in_past(word, tuple(ending.split("."))) for ending in _PAST)


def _ends_in_past(word: Sounds, ending: Sounds) -> bool:
    before = len(word) - len(ending) - 1
    return before >= 1 and word[-len(ending) :] == ending and word[before] in _VOWELS
