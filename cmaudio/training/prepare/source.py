"""What the corpus writer asks of a source of sound: a list of work items, and a function from an item to clips.

A source is a frozen dataclass that other processes can unpickle: it holds settings and paths, never open files. Worker
processes call `open` once each and then the function it gives for one item after the other. The clips of an item
depend on the source, the item and the signal definition alone, never on the order, so that any number of workers writes
the same corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.description import Split


class Item(Protocol):
    """A unit of work, cheap to pickle: a note to play, a stretch of a file. Its name stands in the report."""

    @property
    def name(self) -> str: ...


class Refused(Exception):
    """Raised for an item that gives no clip; its text is the reason, in the same words for the same trouble."""


@dataclass(frozen=True)
class Traits:
    """What a player needs to know of a timbre (`cmaudio.training.corpus.description.CorpusTimbre`)."""

    pitched: bool
    sustained: bool
    program: int | None = None
    key: int | None = None


ItemT = TypeVar("ItemT", bound=Item)
Maker = Callable[[ItemT], Sequence[Clip]]


class Source(Protocol[ItemT]):
    """Where the sound comes from.

    Attributes:
        name, licence: for the corpus's description. kind: which source it is, e.g. "soundfont".
        gain: the stored samples times this are what the networks hear (about -12 dB over 0.4 s for the loudest clips).
        settings: everything the clips depend on; the writer refuses to go on in a folder that has others.
    """

    @property
    def name(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def gain(self) -> float: ...
    @property
    def settings(self) -> Mapping[str, str | int | float | bool | None]: ...

    def items(self) -> Mapping[Split, Sequence[ItemT]]:
        """All work, in an order that depends on the settings alone. Raises CmaudioError where there is none."""
        ...

    def open(self, signal: Signal) -> Maker[ItemT]:
        """The function from an item to its clips, all at the signal's sample rate; it raises Refused."""
        ...

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        """Of a timbre that clips were made of; `voiced_share` is the part of their clips with any voiced frame."""
        ...
