"""What is to be spoken, at the nominal rate: segments one after the other, looked up by nominal time.

Shapes: B timelines, N moments. Nominal time is seconds from the beginning of the text at rate 1; it is known up to
`end`, and grows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.speech.features import CONTEXT_PHONEMES, KNOTS, phoneme_context
from cmaudio.speech.phonemes import Word
from cmaudio.speech.prosody import Segment

_KEPT = 8  # phonemes before the current one; features look back less far
_AHEAD = CONTEXT_PHONEMES + 1  # phonemes after the current one that its features and its pitch depend on


@dataclass(frozen=True)
class Moments:
    """What is spoken at N moments, arrays (N, ...): `context` of `phoneme_context`; `begins`, `ends` nominal."""

    index: NDArray[np.int64]
    context: NDArray[np.int64]
    begins: NDArray[np.float64]
    ends: NDArray[np.float64]
    energy: NDArray[np.float64]
    semitones: NDArray[np.float64]
    pivot: NDArray[np.float64]
    voiced: NDArray[np.bool_]


def stack_moments(parts: Sequence[Moments]) -> Moments:
    """Join the moments of B timelines, arrays (N, ...), into arrays (B, N, ...)."""
    return Moments(*(np.stack(arrays) for arrays in zip(*(vars(part).values() for part in parts), strict=True)))


class Timeline:
    """A growing sequence of phonemes. Indices count from the beginning of the text.

    Only the phonemes around the last moment that was looked at lie in arrays, so that a long text, which may be known
    whole from the start, costs no more per second than a short one.
    """

    def __init__(self) -> None:
        self.closed = False
        self.dropped = 0  # phonemes that are no longer kept
        self._waiting: deque[Segment] = deque()
        self._ids = np.zeros((0, 4), np.int64)
        self._begins, self._ends = np.zeros(0), np.zeros(0)
        self._energy, self._pivot = np.zeros(0), np.zeros(0)
        self._semitones, self._voiced = np.zeros((0, KNOTS)), np.zeros((0, KNOTS))
        # Derived from those: every block needs them.
        self._context, self._knots = phoneme_context(self._ids), np.zeros((0, KNOTS))
        self.end = 0.0
        self._end_in_arrays = 0.0
        self.names: list[str] = []  # of all phonemes kept
        self.words: dict[int, Word] = {}  # by the index of the first phoneme

    def extend(self, segment: Segment) -> None:
        """Append a segment; a closed timeline takes none."""
        if self.closed:
            return
        self._waiting.append(segment)
        self.end += float(np.cumsum(segment.seconds)[-1])

    def _reach(self, time: float) -> None:
        """Take segments into the arrays until what is spoken at nominal `time` is known with its context."""
        while self._waiting and len(self._ends) - np.searchsorted(self._ends, time, side="right") <= _AHEAD:
            segment = self._waiting.popleft()
            count = self.dropped + len(self._ids)
            self.words |= {count + at: word for word, at in segment.words}
            ends = self._end_in_arrays + np.cumsum(segment.seconds)
            self._begins = np.concatenate([self._begins, ends - segment.seconds])
            self._ends = np.concatenate([self._ends, ends])
            self._ids = np.concatenate([self._ids, segment.ids])
            self._energy = np.concatenate([self._energy, segment.energy])
            self._pivot = np.concatenate([self._pivot, np.full(len(ends), segment.pivot)])
            self._semitones = np.concatenate([self._semitones, segment.semitones])
            self._voiced = np.concatenate([self._voiced, segment.voiced])
            self.names += map(str, segment.phonemes)
            self._end_in_arrays = float(ends[-1])
            self._context = phoneme_context(self._ids)
            seconds = self._ends - self._begins
            self._knots = self._begins[:, None] + (np.arange(KNOTS) + 0.5) / KNOTS * seconds[:, None]

    def knows(self, time: float) -> bool:
        """Whether what is spoken up to nominal `time` no longer depends on text that is still to come."""
        if self.closed:
            return True
        self._reach(time)
        return len(self._ends) - int(np.searchsorted(self._ends, time, side="right")) > _AHEAD

    def close(self) -> None:
        """Nothing follows."""
        self.closed = True

    def cut(self, after: float) -> None:
        """Nothing follows the phoneme at nominal time `after`."""
        self.close()
        self._reach(after)
        at = int(np.searchsorted(self._ends, after, side="right"))
        if at < len(self._ends):
            self.end = float(self._ends[at])

    def look(self, times: NDArray[np.float64]) -> Moments:
        """What is spoken at (N,) increasing nominal times; past `end` the last phoneme is held."""
        self._reach(float(times[-1]))
        last = len(self._ends) - 1
        at = np.minimum(np.searchsorted(self._ends, times, side="right"), last)
        knots = self._knots.ravel()
        return Moments(
            at + self.dropped,
            self._context[at],
            self._begins[at],
            self._ends[at],
            self._energy[at],
            np.interp(times, knots, self._semitones.ravel()),
            self._pivot[at],
            np.interp(times, knots, self._voiced.ravel()) > 0.5,
        )

    def name(self, index: int) -> str:
        """The phoneme with its stress mark."""
        return self.names[index - self.dropped]

    def forget_before(self, index: int) -> None:
        """Drop the phonemes well before this one."""
        count = index - _KEPT - self.dropped
        if count <= 0:
            return
        for name in ("_ids", "_begins", "_ends", "_energy", "_pivot", "_semitones", "_voiced", "_context", "_knots"):
            setattr(self, name, getattr(self, name)[count:])
        for at in range(self.dropped, self.dropped + count):
            self.words.pop(at, None)
        del self.names[:count]
        self.dropped += count
