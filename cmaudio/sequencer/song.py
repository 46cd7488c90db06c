"""A song: patterns of a bank one after another, each for some rounds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from cmaudio.errors import CmaudioError
from cmaudio.sequencer.grid import Name
from cmaudio.sequencer.validated import Validated

MAX_PARTS, MAX_ROUNDS = 64, 16


class SongPart(Validated):
    """A pattern that is played for some rounds. Within a song it may be given as its name, or as name and rounds.

    Attributes:
        pattern: its name.
        rounds: how often it is played, 1..16.
    """

    pattern: Name
    rounds: Annotated[int, Field(strict=True, ge=1, le=MAX_ROUNDS)] = 1

    @model_validator(mode="before")
    @classmethod
    def _briefly(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"pattern": given}
        if isinstance(given, list | tuple) and len(given) == 2:
            return {"pattern": given[0], "rounds": given[1]}
        return given


class Song(Validated):
    """Parts in order: `Song(parts=["verse", ("chorus", 2)])`.

    Attributes:
        parts: at most 64; none is no song.
        loop: start over after the last part; otherwise the song ends.
    """

    parts: Annotated[tuple[SongPart, ...], Field(max_length=MAX_PARTS)] = ()
    loop: Annotated[bool, Field(strict=True)] = False

    def part(self, index: int) -> SongPart:
        """A part, counted from 0. Raises CmaudioError if there is none."""
        if not 0 <= index < len(self.parts):
            raise CmaudioError(f"the song has no part {index + 1}, but {len(self.parts)}")
        return self.parts[index]

    def with_part(self, part: SongPart, index: int | None = None) -> Song:
        """With a part in place of the one at an index, or at the end. Raises CmaudioError if there is none there."""
        if index is None:
            return self.changed(parts=(*self.parts, part))
        self.part(index)
        return self.changed(parts=(*self.parts[:index], part, *self.parts[index + 1 :]))

    def without_part(self, index: int) -> Song:
        """Without a part. Raises CmaudioError if there is none."""
        self.part(index)
        return self.changed(parts=(*self.parts[:index], *self.parts[index + 1 :]))

    def moved(self, index: int, to: int) -> Song:
        """With a part moved to another index, at most to the ends. Raises CmaudioError if there is none."""
        part, rest = self.part(index), list(self.without_part(index).parts)
        rest.insert(max(0, to), part)
        return self.changed(parts=tuple(rest))

    def without_pattern(self, name: str) -> Song:
        """Without the parts that play a pattern."""
        return self.changed(parts=tuple(part for part in self.parts if part.pattern != name))

    def renamed(self, old: str, new: str) -> Song:
        """With a pattern under another name."""
        return self.changed(
            parts=tuple(part.changed(pattern=new) if part.pattern == old else part for part in self.parts)
        )
