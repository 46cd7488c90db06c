"""Stress of Russian words, and which е is a ё: silero-stress's accentor (MIT), run in NumPy.

A word is the mean of its n-grams' vectors (fastText); two small networks predict the stressed vowel and the е that is
read as ё. `scripts/convert_silero_stress.py` writes the weights. A table of exceptions takes precedence.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

VOWELS = "аеёиоуыэюя"
_WEIGHTS = Path(__file__).parent / "data" / "russian_stress.npz"
_LAYERS = (0, 2, 4, 6)
_CORRECTED = {"красивее": 1, "щавель": 1}  # errors of the network


@dataclass(frozen=True, slots=True)
class Accent:
    """A word in lower case with its ё restored, and the index of the stressed vowel, from 0; -1 for none."""

    word: str
    vowel: int


class _Accentor:
    def __init__(self) -> None:
        with np.load(_WEIGHTS, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        self._table: NDArray[np.uint8] = arrays["table"]
        self._scale, self._lowest = float(arrays["scale"]), float(arrays["lowest"])
        self._ngrams = {gram: i for i, gram in enumerate(_lines(arrays["ngrams"]))}
        known = (line.split() for line in _lines(arrays["known"]))
        self._known = {word: (int(at), int(yo)) for word, at, yo in known}
        self.homographs = {word: both for word, *both in map(str.split, _lines(arrays["homographs"]))}
        self._heads = {
            head: [(arrays[f"{head}.{i}.weight"], arrays[f"{head}.{i}.bias"]) for i in _LAYERS]
            for head in ("stress", "yo")
        }

    def accent(self, word: str) -> Accent:
        if word in self._known:
            at, yo = self._known[word]
            return Accent(word if yo < 0 else f"{word[:yo]}ё{word[yo + 1 :]}", _vowels(word[:at]))
        vector = self._vector(word)
        count = _vowels(word)
        vowel = int(self._run("stress", vector).argmax()) if count > 1 else 0
        vowel = vowel if vowel < count else -1
        yo = int(self._run("yo", vector).argmax())  # which е, from 1; 0 for none
        places = [i for i, letter in enumerate(word) if letter == "е"]
        if 0 < yo <= len(places) and _vowels(word[: places[yo - 1]]) == vowel:
            word = f"{word[: places[yo - 1]]}ё{word[places[yo - 1] + 1 :]}"
        return Accent(word, vowel)

    def _vector(self, word: str) -> Float:
        framed = f"<{word}>"
        grams = (framed[i : i + n] for n in range(1, len(framed) + 1) for i in range(len(framed) - n + 1))
        found = [self._ngrams[gram] for gram in grams if gram in self._ngrams] or [self._ngrams["UNK"]]
        return self._table[found].mean(axis=0, dtype=np.float32) * np.float32(self._scale) + np.float32(self._lowest)

    def _run(self, head: str, vector: Float) -> Float:
        for i, (weight, bias) in enumerate(self._heads[head]):
            vector = weight @ (np.maximum(vector, 0) if i else vector) + bias
        return vector


def _lines(letters: NDArray[np.uint8]) -> list[str]:
    return letters.tobytes().decode().split("\n")


def _vowels(text: str) -> int:
    return sum(letter in VOWELS for letter in text)


_loading = threading.Lock()
_loaded: list[_Accentor] = []


def _accentor() -> _Accentor:
    """Loaded by the first word that needs it."""
    with _loading:
        if not _loaded:
            _loaded.append(_Accentor())
    return _loaded[0]


@lru_cache(16384)
def accent(word: str) -> Accent:
    """The stress of a single word in lower case; of words joined by hyphens, that of the last."""
    count = _vowels(word)
    if word in _CORRECTED:
        return Accent(word, _CORRECTED[word])
    if "ё" in word:
        return Accent(word, _vowels(word[: word.rindex("ё")]))
    if count == 0 or (count == 1 and "е" not in word):
        return Accent(word, count - 1)
    return _accentor().accent(word)


def readings(word: str) -> tuple[Accent, ...]:
    """The two readings of a homograph, such as за́мок and замо́к; empty for other words."""
    both = _accentor().homographs.get(word, ())
    return tuple(Accent(each.replace("+", ""), _vowels(each[: each.index("+")])) for each in both)
