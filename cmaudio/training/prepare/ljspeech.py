"""Corpora in LJSpeech layout, in its common variants.

metadata.csv     id|text, id|text|text in words, or id|speaker|text, as piper has it
wavs/            id.wav, or another format; or SPEAKER/id.wav
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from cmaudio.errors import CmaudioError
from cmaudio.training.prepare.transcript import NOT_UTF8, Line, read_lines, single_spaced, visible

_METADATA = "metadata.csv"
_FOLDERS = ("wavs", "wav")
_ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".opus")
LJSPEECH = (
    "metadata.csv with lines id|text, id|text|text in words or id|speaker|text, and the sound of each in wavs/ "
    f"({', '.join(_ENDINGS)})"
)
_FORM = "line is not of the form id|text|text in words or id|speaker|text"
_LONGEST_NAME = 40
_LENGTHS = 3.0  # at most this ratio between a text and the same text in words, such as "in 1465"
_MOST, _HARDLY_ANY = 0.5, 0.05


def ljspeech_audio(folder: Path) -> Iterator[Path]:
    """The sound files in the folder `wavs` and its subfolders."""
    for name in _FOLDERS:
        yield from visible(path for path in (folder / name).rglob("*") if path.suffix.lower() in _ENDINGS)


def ljspeech_lines(folder: Path) -> Iterator[Line]:
    """The lines of metadata.csv, each with its sound file and speaker. Raises CmaudioError for unclear columns."""
    path = folder / _METADATA
    if not path.is_file():
        return
    rows: list[tuple[str, list[str] | None]] = []
    for where, line in read_lines(path):
        rows.append((where, None if line is None else [single_spaced(column) for column in line.split("|")]))
    pairs = [(row[1], row[2]) for _, row in rows if row and len(row) == 3 and row[0] and row[1] and row[2]]
    speakers = bool(pairs) and second_is_speaker(pairs, str(path))
    sounds = _Sounds(folder)
    for where, row in rows:
        if row is None:
            yield Line(where, trouble=NOT_UTF8)
        elif len(row) not in (2, 3) or not row[0]:
            yield Line(where, trouble=_FORM)
        elif len(row) == 3 and speakers:
            yield sounds.line(row[0], row[2], row[1])
        else:
            yield sounds.line(row[0], row[-1] or row[1], "")


def utterance_id(name: str) -> str:
    """A name as in a transcript, without "wavs/" and the extension."""
    place = PurePosixPath(name.replace("\\", "/"))
    parts = [part for part in place.parts if part != "."]
    parts = parts[1:] if len(parts) > 1 and parts[0] in _FOLDERS else parts
    plain = "/".join(parts)
    return plain[: -len(place.suffix)] if place.suffix.lower() in _ENDINGS else plain


def _first_folder(identity: str) -> str:
    return identity.partition("/")[0] if "/" in identity else ""


class _Sounds:
    """The sound files of a corpus, by the names that a transcript may use for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_id: defaultdict[str, list[Path]] = defaultdict(list)  # place below `wavs`, without ending
        self._by_stem: defaultdict[str, list[Path]] = defaultdict(list)
        for path in ljspeech_audio(folder):
            self._by_id[utterance_id(path.relative_to(folder).as_posix())].append(path)
            self._by_stem[path.stem].append(path)

    def line(self, name: str, text: str, speaker: str) -> Line:
        """The line of an utterance; without a speaker's name, folders in `wavs` name the speakers."""
        plain = utterance_id(name)
        found = self._find(name, plain, speaker)
        if not found:
            return Line(plain, text, self._folder / "wavs" / f"{plain}.wav", f"wavs/{plain}.wav", speaker=speaker)
        if len(found) > 1:
            places = " and ".join(path.relative_to(self._folder).as_posix() for path in found[:2])
            return Line(plain, trouble=f"more than one sound file: {places}")
        place = found[0].relative_to(self._folder).as_posix()
        identity = utterance_id(place)
        return Line(identity, text, found[0], place, speaker=speaker or _first_folder(identity))

    def _find(self, name: str, plain: str, speaker: str) -> list[Path]:
        """The sound files that a name may mean: exact matches take precedence over those found by stem."""
        for index, key in self._keys(plain, speaker):
            if paths := index.get(key):
                exactly = [path for path in paths if path.name == PurePosixPath(name.replace("\\", "/")).name]
                return exactly or paths
        return []

    def _keys(self, plain: str, speaker: str) -> Iterator[tuple[Mapping[str, list[Path]], str]]:
        yield self._by_id, f"{speaker}/{plain}"
        yield self._by_id, plain
        if "/" not in plain:
            yield self._by_stem, plain


def second_is_speaker(pairs: Sequence[tuple[str, str]], where: str) -> bool:
    """Whether the second columns name speakers; False if they hold another form of the text in the third.

    A text has one form in words, but a speaker says many texts: so the second column names speakers if most of its
    values occur with several texts. It holds texts if hardly any does, and the two columns are alike.

    Args:
        pairs: second and third column of every line that has both.
        where: the file, for messages.

    Raises:
        CmaudioError: neither is the case.
    """
    third_by_second: defaultdict[str, set[str]] = defaultdict(set)
    for second, third in pairs:
        third_by_second[second].add(_plain(third))
    several = sum(len(third_by_second[second]) > 1 for second, _ in pairs) / len(pairs)
    alike = sum(_alike(second, third) for second, third in pairs) / len(pairs)
    if several > _MOST and all(len(second) <= _LONGEST_NAME for second in third_by_second):
        return True
    if several <= _HARDLY_ANY and alike >= _MOST:
        return False
    second, third = next((pair for pair in pairs if not _alike(*pair)), pairs[0])
    raise CmaudioError(
        f"{where}: it is not clear what the second of its three columns holds, such as {second[:_LONGEST_NAME]!r} "
        f"beside {third[:_LONGEST_NAME]!r}. {several:.0%} of its values stand beside more than one text, as speakers "
        f"would, and {alike:.0%} are like the third column, as a text and its form in words would be. Write id|text in "
        "two columns, or id|speaker|text where every speaker says more than one text"
    )


def _alike(text: str, in_words: str) -> bool:
    """Whether both may be the same text: a word in common, or similar lengths."""
    if set(_plain(text).split()) & set(_plain(in_words).split()):
        return True
    short, long = sorted((len(_plain(text)), len(_plain(in_words))))
    return long <= _LENGTHS * max(short, 1)


def _plain(text: str) -> str:
    """Words in lower case, without punctuation."""
    return " ".join(re.findall(r"\w+", text.lower()))
