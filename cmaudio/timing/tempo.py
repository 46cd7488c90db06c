"""The tempo map: which beat falls on which sample, through changes of tempo, stops and starts.

Beats are quarter notes, tempo is in beats per minute, samples are those of an engine's clock. A beat's sample is
computed from the last change of tempo, never accumulated, so that beats and samples do not drift apart.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace

from cmaudio.checks import in_range

TEMPO_RANGE = (10.0, 400.0)
SAME_BEAT = 1e-6  # beats closer than this are equal, up to rounding


def checked_tempo(tempo: float) -> float:
    """`tempo` if it is in range. Raises CmaudioError otherwise."""
    return in_range("tempo", tempo, *TEMPO_RANGE, "beats per minute")


def next_multiple(beat: float, beats: float) -> float:
    """The first multiple of `beats` that is not before `beat`."""
    return math.ceil((beat - SAME_BEAT) / beats) * beats


@dataclass(frozen=True, slots=True)
class _Segment:
    """From `sample` (inf: only once the clock runs again) and `beat` on, it runs at `tempo` or is stopped."""

    sample: float
    beat: float
    tempo: float
    running: bool


class TempoMap:
    """Beats to samples and back. It starts with beat 0 at `sample`, and is stopped before that."""

    def __init__(self, sample_rate: int, tempo: float, sample: float = 0.0) -> None:
        self.sample_rate = sample_rate
        self._segments = [_Segment(sample, 0.0, checked_tempo(tempo), True)]

    def beat_at(self, sample: float) -> float:
        """The beat at a sample."""
        segment = self._at(sample)
        return segment.beat + max(0.0, sample - segment.sample) * self._rate(segment)

    def sample_at(self, beat: float) -> float:
        """The sample of a beat, not rounded; inf if the clock stops before it."""
        segment = self._segments[max(0, bisect_right(self._segments, beat, key=lambda s: s.beat) - 1)]
        if not segment.running:
            return math.inf
        return segment.sample + (beat - segment.beat) / self._rate(segment)

    def tempo_at(self, sample: float) -> float:
        """Beats per minute; while the clock is stopped, the tempo at which it will run."""
        return self._at(sample).tempo

    def running_at(self, sample: float) -> bool:
        """Whether the clock runs."""
        return self._at(sample).running

    def set_tempo(self, tempo: float, sample: float) -> None:
        """Change the tempo from a sample on; changes planned for later beats are kept."""
        self._change(sample, checked_tempo(tempo), self.running_at(sample))

    def plan_tempo(self, tempo: float, beat: float) -> None:
        """Change the tempo from a beat on."""
        index = max(1, bisect_right(self._segments, beat, key=lambda s: s.beat))
        before = self._segments[index - 1]
        kept = self._segments[: index - (before.beat == beat and index > 1)]
        planned = _Segment(math.inf, beat, checked_tempo(tempo), before.running)
        self._segments = self._anchored(kept, [planned, *self._segments[index:]])

    def drop_planned(self, sample: float) -> None:
        """Cancel the changes after a sample."""
        self._segments = self._segments[: self._index(sample) + 1]

    def stop(self, sample: float) -> None:
        """Stop at a sample."""
        self._change(sample, self.tempo_at(sample), False)

    def start(self, sample: float, beat: float | None = None) -> None:
        """Run from a sample on, from the current beat or another one; the latter discards the history."""
        if beat is None:
            self._change(sample, self.tempo_at(sample), True)
        else:
            self._jump(sample, beat, True)

    def locate(self, sample: float, beat: float) -> None:
        """Jump to another beat at a sample; it stays running or stopped."""
        self._jump(sample, beat, self.running_at(sample))

    def forget_before(self, sample: float) -> None:
        """Discard changes before a sample, so that they do not accumulate for hours."""
        del self._segments[: self._index(sample)]

    def _jump(self, sample: float, beat: float, running: bool) -> None:
        index = self._index(sample)
        planned = [segment for segment in self._segments[index + 1 :] if segment.beat > beat]
        first = _Segment(sample, beat, self._segments[index].tempo, running)
        self._segments = self._anchored([first], planned)

    def _change(self, sample: float, tempo: float, running: bool) -> None:
        index = self._index(sample)
        current, planned = self._segments[index], self._segments[index + 1 :]
        kept = self._segments[: index + (current.sample < sample)]
        changed = _Segment(sample, self.beat_at(sample), tempo, running)
        self._segments = self._anchored([*kept, changed], planned)

    def _anchored(self, segments: list[_Segment], planned: list[_Segment]) -> list[_Segment]:
        """`segments` followed by the planned ones, whose samples are computed from their beats."""
        for segment in planned:
            before = segments[-1]
            distance = (segment.beat - before.beat) / self._rate(before) if before.running else math.inf
            segments = [*segments, replace(segment, sample=before.sample + distance, running=before.running)]
        return segments

    def _rate(self, segment: _Segment) -> float:
        """Beats per sample."""
        return segment.tempo / 60 / self.sample_rate if segment.running else 0.0

    def _index(self, sample: float) -> int:
        return max(0, bisect_right(self._segments, sample, key=lambda s: s.sample) - 1)

    def _at(self, sample: float) -> _Segment:
        return self._segments[self._index(sample)]
