"""Which streams share the next evaluation: those whose listeners would run out of sound first.

A stream that has given nothing yet has the slack of its waiting, below zero, so that a new answer comes before what
has been made ahead for others, and a long one holds up nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_VOICES = 16  # of one evaluation; beyond this the cost of a voice hardly falls, and a new stream would wait longer


@dataclass(frozen=True)
class Candidate:
    """A stream that could be continued.

    Attributes:
        name: of the stream.
        model: of the stream; only streams of one model share an evaluation.
        slack_seconds: until its listener runs out of sound.
        lead_seconds: how far ahead of its listener it is made.
        voices: that take part in an evaluation.
    """

    name: int
    model: str
    slack_seconds: float
    lead_seconds: float
    voices: int = 1


def next_batch(candidates: Iterable[Candidate], most_voices: int = MOST_VOICES) -> list[int]:
    """The names of the streams to continue now, the most urgent first; none if all are far enough ahead."""
    due = sorted((c for c in candidates if c.slack_seconds < c.lead_seconds), key=lambda c: c.slack_seconds)
    chosen: list[int] = []
    voices = 0
    for candidate in due:
        if candidate.model != due[0].model:
            continue
        if chosen and voices + candidate.voices > most_voices:
            break
        chosen.append(candidate.name)
        voices += candidate.voices
    return chosen


def seconds_until_due(candidates: Iterable[Candidate]) -> float | None:
    """How long until the first stream is no longer far enough ahead; None if there is no stream."""
    return min((max(0.0, c.slack_seconds - c.lead_seconds) for c in candidates), default=None)
