"""Selects the streams of the next evaluation: those whose clients would run out of audio first.

An evaluation of few streams costs nearly as much as one of many. So it waits until a stream is down to its reserve, and
then includes the other streams that are not yet their whole lead ahead: streams that arrived at different times are
batched, and none is made alone because it happens to be due first.

A stream that has not given any audio has a negative slack, which grows with its waiting time, so that a new response
comes before audio made ahead for others, and a long one delays nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_VOICES = 16  # per evaluation; beyond this the cost per voice hardly falls, and a new stream would wait longer
_RESERVE_SHARE = 0.5  # of the lead


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

    @property
    def reserve_seconds(self) -> float:
        """The slack below which it is made, rather than waiting for others."""
        return _RESERVE_SHARE * self.lead_seconds


def next_batch(candidates: Sequence[Candidate], most_voices: int = MOST_VOICES) -> list[int]:
    """The names of the streams to continue now, the most urgent first; none if no stream is down to its reserve."""
    urgent = [c for c in candidates if c.slack_seconds < c.reserve_seconds]
    if not urgent:
        return []
    first = min(urgent, key=_slack)
    company = (c for c in candidates if c is not first and c.model == first.model and c.slack_seconds < c.lead_seconds)
    chosen, voices = [first.name], first.voices
    for candidate in sorted(company, key=_slack):
        voices += candidate.voices
        if voices > most_voices:
            break
        chosen.append(candidate.name)
    return chosen


def seconds_until_due(candidates: Iterable[Candidate]) -> float | None:
    """Seconds until the first stream is down to its reserve; None if there is no stream."""
    return min((max(0.0, c.slack_seconds - c.reserve_seconds) for c in candidates), default=None)


def _slack(candidate: Candidate) -> float:
    return candidate.slack_seconds
