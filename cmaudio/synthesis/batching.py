"""Batching: which voices share the next evaluation of the networks.

Times are samples of the engine's clock. An evaluation streams all weights through the processor whatever the batch
size, so batching is cheap: 1, 2, 4 and 8 voices take 4, 5, 7 and 11 ms on two shared cores. The earlier a block may be
computed, the more voices can be batched, and the later it responds to a control.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from cmaudio.synthesis.voice import Voice

# Network evaluations in one live batch; a voice counts once for each of its steps.
_TO_BEGIN = 8  # a chord starts together; more would delay the next reads
_WITH_FEW_VOICES = 4  # they are easily computed in time: a note that starts meanwhile waits less
_WITH_MANY_VOICES = 16  # 16 staggered ones cost a quarter less than six at a time
_OFFLINE_VOICES = 16  # beyond this, the cost per voice no longer falls
_SHARING_VOICES = 6  # besides the first; with this many, blocks are computed as early as allowed
_SPARE_SHARE = 1 / 2  # of the time ahead, within which few voices are computed in spare time


def batch_for_read(voices: Sequence[Voice], by: int, ahead: int) -> list[Voice]:
    """Voices that need a block to sound until `by`, and others that will need one within `ahead` samples after that."""
    now = _lacking(voices, by)
    if any(voice.network is None for voice in now):
        return now  # a new note should not wait for others
    # A few voices are cheap enough to compute when needed; many are batched, slightly early.
    early = round(ahead * _sharing(voices))
    soon = [voice for voice in _lacking(voices, by + early) if voice not in now]
    return [*now, *_first(soon, _batch_size(voices) - _evaluations(now))]


def batch_to_begin(voices: Sequence[Voice], by: int) -> list[Voice]:
    """Notes that start before `by` and have no block yet."""
    return _first([v for v in voices if v.network is None and v.params.at <= by], _TO_BEGIN)


def batch_to_spare(voices: Sequence[Voice], now: int, ahead: int) -> list[Voice]:
    """Sounding voices to compute in spare time: the first of those that need a block within `ahead` samples."""
    sounding = [voice for voice in voices if voice.network is not None]
    early = round(ahead * max(_SPARE_SHARE, _sharing(sounding)))
    return _first(_lacking(sounding, now + early), _batch_size(sounding))


def batch_offline(voices: Sequence[Voice], known: int, block_samples: int) -> list[Voice]:
    """Voices whose next block ends before `known`, up to which all events are known."""
    ends = {v: v.params.at + v.planned_end + block_samples for v in voices if v.lacks(known)}
    return sorted((voice for voice, end in ends.items() if end <= known), key=lambda v: ends[v])[:_OFFLINE_VOICES]


def _lacking(voices: Sequence[Voice], by: int) -> list[Voice]:
    """Voices that need a block to sound until `by`, the most urgent first."""
    lacking = [v for v in voices if v.params.at < by and v.lacks(by - v.params.at - v.position)]
    return sorted(lacking, key=lambda v: v.params.at + v.planned_end)


def _first(voices: Sequence[Voice], evaluations: int) -> list[Voice]:
    """The first voices that together take at most this many evaluations."""
    taken = accumulate(voice.steps for voice in voices)
    return [voice for voice, total in zip(voices, taken, strict=True) if total <= evaluations]


def _sharing(voices: Sequence[Voice]) -> float:
    """The share of the time ahead by which the blocks of these voices are computed early."""
    return min(1.0, max(0, len(voices) - 1) / _SHARING_VOICES)


def _batch_size(voices: Sequence[Voice]) -> int:
    """Evaluations of one batch while these voices sound."""
    return _WITH_FEW_VOICES if _evaluations(voices) <= _TO_BEGIN else _WITH_MANY_VOICES


def _evaluations(voices: Sequence[Voice]) -> int:
    return sum(voice.steps for voice in voices)
