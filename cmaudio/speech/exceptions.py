"""Pronunciations that a lexicon lacks or has wrong, and the names of letters, in gruut's phonemes."""

from __future__ import annotations

from collections.abc import Mapping

_ENGLISH = {
    "penknife": "p ˈɛ n n ˌaɪ f",
    "encoder": "ɪ n k ˈoʊ d ɚ",
    "encoders": "ɪ n k ˈoʊ d ɚ z",
    "decoder": "d i k ˈoʊ d ɚ",
    "decoders": "d i k ˈoʊ d ɚ z",
    "autoencoder": "ˌɔ t oʊ ɪ n k ˈoʊ d ɚ",
    "autoencoders": "ˌɔ t oʊ ɪ n k ˈoʊ d ɚ z",
    "penknives": "p ˈɛ n n ˌaɪ v z",
    "jackknife": "d͡ʒ ˈæ k n ˌaɪ f",
    "jackknives": "d͡ʒ ˈæ k n ˌaɪ v z",
    "pocketknife": "p ˈɑ k ɪ t n ˌaɪ f",
    "pocketknives": "p ˈɑ k ɪ t n ˌaɪ v z",
    "updates": "ˈʌ p d ˌeɪ t s",  # the verb is pronounced like the noun
    "upgrades": "ˈʌ p ɡ ɹ ˌeɪ d z",
    "uploads": "ˈʌ p l ˌoʊ d z",
    "gif": "ɡ ˈɪ f",
    "gifs": "ɡ ˈɪ f s",
    "jpeg": "d͡ʒ ˈeɪ p ɛ ɡ",
    "jpegs": "d͡ʒ ˈeɪ p ɛ ɡ z",
    "gui": "ɡ ˈu i",
    "json": "d͡ʒ ˈeɪ s ə n",
    "yaml": "j ˈæ m ə l",
    "captcha": "k ˈæ p t͡ʃ ə",
    "covid": "k ˈoʊ v ɪ d",
    "oled": "ˈoʊ l ˌɛ d",
    "lidar": "l ˈaɪ d ɑ ɹ",
    "lufs": "l ˈʌ f s",
    "fomo": "f ˈoʊ m oʊ",
    "hipaa": "h ˈɪ p ə",
    "wysiwyg": "w ˈɪ z i w ˌɪ ɡ",
    "potus": "p ˈoʊ t ə s",
    "scotus": "s k ˈoʊ t ə s",
    "fortran": "f ˈɔ ɹ t ɹ æ n",
    "github": "ɡ ˈɪ t h ˌʌ b",
    "typescript": "t ˈaɪ p s k ɹ ˌɪ p t",
    "linkedin": "l ˌɪ ŋ k t ˈɪ n",
    "miz": "m ɪ z",
    "fie": "f ˈaɪ",
}
_LETTERS = {
    "A": "ˈeɪ", "B": "b ˈi", "C": "s ˈi", "D": "d ˈi", "E": "ˈi", "F": "ˈɛ f", "G": "d͡ʒ ˈi", "H": "ˈeɪ t͡ʃ", "I": "ˈaɪ",
    "J": "d͡ʒ ˈeɪ", "K": "k ˈeɪ", "L": "ˈɛ l", "M": "ˈɛ m", "N": "ˈɛ n", "O": "ˈoʊ", "P": "p ˈi", "Q": "k j ˈu",
    "R": "ˈɑ ɹ", "S": "ˈɛ s", "T": "t ˈi", "U": "j ˈu", "V": "v ˈi", "W": "d ˈʌ b ə l j ˌu", "X": "ˈɛ k s",
    "Y": "w ˈaɪ", "Z": "z ˈi",
}  # fmt: skip
_PLURALS = {"F": "s", "H": "ɪ z", "S": "ɪ z", "X": "ɪ z"}


def exceptions(base: str) -> Mapping[str, str]:
    """Phonemes by word in lower case, for a language such as "en"."""
    return dict(_ENGLISH) if base == "en" else {}


def letter_name(base: str, text: str) -> str | None:
    """The name of an English capital, or of its plural ("Vs", "V's"); None for anything else."""
    if base != "en" or text[:1] not in _LETTERS or text[1:] not in ("", "s", "'s"):
        return None
    name = _LETTERS[text[0]]
    return f"{name} {_PLURALS.get(text[0], 'z')}" if text[1:] else name
