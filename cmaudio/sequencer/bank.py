"""A bank of patterns, the song that they form, and its file: strict, versioned JSON."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from cmaudio.errors import CmaudioError, explain, unknown
from cmaudio.files.atomic import write_file
from cmaudio.files.reading import read_file
from cmaudio.sequencer.grid import GridPattern
from cmaudio.sequencer.song import Song
from cmaudio.sequencer.validated import Validated
from cmaudio.timing.tempo import TEMPO_RANGE

VERSION = 1  # of the file format
MAX_PATTERNS = 16
_MAX_BYTES = 2**24


class PatternBank(Validated):
    """Patterns by name.

    Attributes:
        tempo: beats per minute; None keeps the clock's tempo.
        bar: beats per bar, at which patterns are switched.
        patterns: at least one, at most 16.
        song: the order of the patterns in a song.
    """

    version: Literal[1] = 1
    tempo: Annotated[float | None, Field(strict=True, ge=TEMPO_RANGE[0], le=TEMPO_RANGE[1])] = None
    bar: Annotated[float, Field(strict=True, ge=0.25, le=64)] = 4.0
    patterns: Annotated[tuple[GridPattern, ...], Field(min_length=1, max_length=MAX_PATTERNS)] = (
        GridPattern(name="A"),
    )
    song: Song = Song()

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = self.names
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two patterns are called {twice[0]!r}; give each a name of its own")
        if lacking := [part.pattern for part in self.song.parts if part.pattern not in names]:
            raise ValueError(f"the song plays an {unknown('pattern', lacking[0], names)}")
        return self

    @property
    def names(self) -> list[str]:
        """Names of the patterns, in order."""
        return [pattern.name for pattern in self.patterns]

    def pattern(self, name: str) -> GridPattern:
        """A pattern by its name. Raises CmaudioError for an unknown one."""
        found = next((pattern for pattern in self.patterns if pattern.name == name), None)
        if found is None:
            raise CmaudioError(unknown("pattern", name, self.names))
        return found

    def with_pattern(self, pattern: GridPattern, name: str | None = None) -> PatternBank:
        """With a pattern in place of the one of this name (by default its own), or added; the song follows."""
        place = pattern.name if name is None else name
        changed = tuple(pattern if each.name == place else each for each in self.patterns)
        return self.changed(
            patterns=changed if place in self.names else (*changed, pattern),
            song=self.song.renamed(place, pattern.name),
        )

    def without_pattern(self, name: str) -> PatternBank:
        """Without a pattern, in the song too. Raises CmaudioError for an unknown one, and for the last."""
        removed = self.pattern(name)
        if len(self.patterns) == 1:
            raise CmaudioError(f"pattern {name!r} is the only one and stays; clear its lanes instead")
        return self.changed(
            patterns=tuple(each for each in self.patterns if each is not removed), song=self.song.without_pattern(name)
        )

    def free_name(self) -> str:
        """The first letter that is not the name of a pattern."""
        return next(letter for letter in string.ascii_uppercase if letter not in self.names)


def load_bank(path: str | Path) -> PatternBank:
    """Load the patterns in a file.

    Raises CmaudioError for another kind of file, another version, or an invalid value, whose location is named.
    """
    try:
        return PatternBank.model_validate_json(read_file(path, "patterns", _MAX_BYTES))
    except ValidationError as error:
        reason = explain(error).replace("Value error, ", "")
        raise CmaudioError(f"{path} is not a file of patterns of version {VERSION}: {reason}") from error


def save_bank(bank: PatternBank, path: str | Path) -> Path:
    """Write patterns to a file, completely or not at all. Raises CmaudioError if that fails."""
    return write_file(path, (bank.model_dump_json(indent=1, exclude_defaults=False) + "\n").encode())
