"""The protocol of a data source: a list of work items, and a function from an item to clips.

A source is a frozen dataclass that can be pickled: it holds settings and paths, never open files. Each worker process
calls `open` once, and the function that it returns once per item. The clips of an item depend only on source, item and
signal definition, so any number of workers writes the same corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cmaudio.model.deviation import PitchDeviation
from cmaudio.model.partials import Partials
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.description import Split


class Item(Protocol):
    """A unit of work, cheap to pickle: a note to play, part of a file. The report refers to it by name."""

    @property
    def name(self) -> str: ...


class Refused(Exception):
    """Raised for an item that gives no clip; its text is the reason, identical for the same problem."""


@dataclass(frozen=True)
class Traits:
    """Properties of a timbre that are needed to play it (`cmaudio.training.corpus.description.CorpusTimbre`)."""

    pitched: bool
    sustained: bool
    program: int | None = None
    key: int | None = None
    partials: Partials | None = None
    deviation: PitchDeviation | None = None


ItemT = TypeVar("ItemT", bound=Item)
Maker = Callable[[ItemT], Sequence[Clip]]


class Source(Protocol[ItemT]):
    """Where the sound comes from.

    Attributes:
        name: for the corpus's description.
        licence: for the corpus's description.
        kind: type of the source, e.g. "soundfont".
        gain: factor on the stored samples for training (the loudest clips have about -12 dB over 0.4 s).
        settings: everything the clips depend on; the writer refuses to resume with others.
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
        """All items, in an order that depends only on the settings. Raises CmaudioError if there are none."""
        ...

    def open(self, signal: Signal) -> Maker[ItemT]:
        """The function from an item to its clips, all at the signal's sample rate; it raises Refused."""
        ...

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        """Properties of a timbre with clips; `voiced_share` is the share of its clips with any voiced frame."""
        ...
