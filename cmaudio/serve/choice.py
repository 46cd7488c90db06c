"""Selects the streams of the next evaluation: those whose clients would run out of audio first.

A stream that has not given any audio has a negative slack, which grows with its waiting time, so that a new response
comes before audio made ahead for others, and a long one delays nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_VOICES = 16  # per evaluation; beyond this the cost per voice hardly falls, and a new stream would wait longer


@dataclass(frozen=True)
class Candidate:
    """A stream that could be continued.

    Attributes:
        name: of the stream.
        model: of the stream; only streams of one model share an evaluation.
        slack_seconds: until its client runs out of audio.
        lead_seconds: how far ahead of its client it is made.
        voices: number of voices that it adds to an evaluation.
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
    """Seconds until the first stream is no longer far enough ahead; None if there is no stream."""
    return min((max(0.0, c.slack_seconds - c.lead_seconds) for c in candidates), default=None)
