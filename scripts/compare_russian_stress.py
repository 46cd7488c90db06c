"""Compare sources of Russian word stress on the tests' lists: everyday words, and homographs in a short context.

    python scripts/compare_russian_stress.py [--silero]

Prints the number of errors of gruut_lang_ru's two lexicons, of silero-stress's accentor run by NumPy, and of the front
end (the accentor, corrections, and rules for homographs). The rules were written with the list of homographs at hand,
so their figure shows coverage, not accuracy on unseen text.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

VOWELS = "аеёиоуыэюя"
LISTS = Path(__file__).parent.parent / "tests" / "speech" / "stress"
Source = Callable[[list[str], int], int | None]
"""The words of a line, and the index of one of them -> its stressed vowel, counted from 0; None if unknown."""


def cases(name: str) -> Iterator[tuple[list[str], int, int]]:
    """The words of each line of a list, the index of the marked word, and its stressed vowel."""
    for line in (LISTS / name).read_text(encoding="utf-8").splitlines():
        words = line.replace(",", "").split()
        at = next(i for i, word in enumerate(words) if "+" in word)
        yield [word.replace("+", "").replace("ё", "е") for word in words], at, marked(words[at])


def marked(word: str) -> int:
    """The number of the vowel after the plus."""
    return sum(letter in VOWELS for letter in word[: word.index("+")])


def lexicon(path: Path, stressed: re.Pattern[str], vowel: re.Pattern[str]) -> Source:
    """A lexicon of gruut, given the patterns of its stressed phonemes and of its vowels."""
    known = dict(sqlite3.connect(path).execute("SELECT word, phonemes FROM word_phonemes"))

    def ask(words: list[str], at: int) -> int | None:
        sounds = [sound for sound in known.get(words[at], "").split() if vowel.fullmatch(sound)]
        return next((i for i, sound in enumerate(sounds) if stressed.search(sound)), None)

    return ask


def sources(with_silero: bool) -> dict[str, Source]:
    """The installed sources, by name."""
    found: dict[str, Source] = {}
    try:
        import gruut_lang_ru

        folder = Path(gruut_lang_ru.__file__).parent
        found["gruut lexicon"] = lexicon(folder / "lexicon.db", re.compile("ː"), re.compile("[aeiouɨ]ː?"))
        of_espeak = re.compile("ˈ?[ˌ]?[aɑeɛiɪoɔuyɨɵʌə]")
        found["gruut's espeak lexicon"] = lexicon(folder / "espeak" / "lexicon.db", re.compile("ˈ"), of_espeak)
    except ImportError as error:
        print(f"{error.name} is left out: not installed")
    if with_silero:
        from silero_stress import load_accentor

        silero = load_accentor("ru")
        found["silero-stress, its homograph network too"] = lambda words, at: (
            marked(silero(" ".join(words)).split()[at]) if "+" in silero(" ".join(words)).split()[at] else None
        )
    try:
        from cmaudio.speech.russian_homographs import choose
        from cmaudio.speech.russian_stress import accent
    except ImportError as error:
        print(f"{error.name} is left out: not installed")
        return found
    found["its accentor, by NumPy"] = lambda words, at: accent(words[at]).vowel
    found["the front end"] = lambda words, at: (choose(words, at) or accent(words[at])).vowel
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--silero", action="store_true", help="add silero-stress with its homograph network; needs torch"
    )
    names = ("words.txt", "homographs.txt")
    print("| wrong of | " + " | ".join(f"{len(list(cases(name)))} {name}" for name in names) + " |\n|---|---|---|")
    for source, ask in sources(parser.parse_args().silero).items():
        wrong = (sum(ask(words, at) != right for words, at, right in cases(name)) for name in names)
        print(f"| {source} | " + " | ".join(map(str, wrong)) + " |")


if __name__ == "__main__":
    main()
