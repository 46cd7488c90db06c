"""Shared by the layouts of speech corpora: an utterance as listed in a transcript, and reading transcripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cmaudio.files.reading import read_file

NOT_UTF8 = "transcript is not UTF-8 text"
_MAX_BYTES = 2**30


@dataclass(frozen=True)
class Line:
    """An utterance as listed in its transcript.

    Attributes:
        id: as the recipe forms it.
        text: transcript, with single spaces.
        audio: its sound file.
        audio_place: where the recipe expects the sound, relative to the corpus.
        transcript_place: where the recipe expects the line.
        line: the transcript's line in the form that the recipe reads.
        speaker: the speaker, if no recipe names it; "" for the corpus's only speaker.
        trouble: why it cannot be used, or "".
    """

    id: str
    text: str = ""
    audio: Path = Path()
    audio_place: str = ""
    transcript_place: str = ""
    line: str = ""
    speaker: str = ""
    trouble: str = ""


def read_lines(path: Path) -> Iterator[tuple[str, str | None]]:
    """Location and text of each line that is not blank; None if it is not UTF-8. Raises CmaudioError."""
    data = read_file(path, "transcript", _MAX_BYTES).removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                yield f"{path.name} line {number}", line.decode().strip()
            except UnicodeDecodeError:
                yield f"{path.name} line {number}", None


def visible(paths: Iterable[Path]) -> Iterator[Path]:
    """Sorted; without the files that macOS adds to archives, and other hidden ones."""
    return (path for path in sorted(paths) if not path.name.startswith("."))


def single_spaced(text: str) -> str:
    return " ".join(text.split())
