"""Which voices share the next evaluation of the networks.

Times are samples of the engine's clock. An evaluation streams all weights through the processor
whatever the batch size, so sharing is cheap: 1, 2, 4 and 8 voices take 4, 5, 7 and 11 ms on two shared cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from cmaudio.synthesis.voice import Voice

# Network evaluations in one live batch; a voice counts once for each of its steps.
_TO_BEGIN = 8  # a chord starts together; more would delay the next reads
_OF_FEW = 4  # few voices, easily made in time: a note that begins meanwhile waits less
_OF_MANY = 6  # many voices: one block of all takes more than _TO_BEGIN evaluations
_OFFLINE_VOICES = 16  # beyond this, the cost per voice no longer falls
_SHARING_VOICES = 4


def batch_for_read(voices: Sequence[Voice], by: int, ahead: int) -> list[Voice]:
    """Voices that need a block before they can sound until `by`, and others that will within `ahead` samples."""
    now = _lacking(voices, by)
    if any(voice.network is None for voice in now):
        return now  # a new note is waited for, so it is not batched with others
    # A few voices are cheap enough to compute when needed; many share evaluations, slightly early.
    ahead = round(ahead * min(1.0, max(0, len(voices) - 1) / _SHARING_VOICES))
    soon = [voice for voice in _lacking(voices, by + ahead) if voice not in now]
    return [*now, *_first(soon, _company(voices) - _evaluations(now))]


def batch_to_begin(voices: Sequence[Voice], by: int) -> list[Voice]:
    """Notes that begin before `by` and have no block yet."""
    return _first([v for v in voices if v.network is None and v.params.at <= by], _TO_BEGIN)


def batch_to_spare(voices: Sequence[Voice], by: int) -> list[Voice]:
    """Of the sounding voices, the first that need a block to continue until `by`."""
    sounding = [voice for voice in voices if voice.network is not None]
    return _first(_lacking(sounding, by), _company(sounding))


def batch_offline(voices: Sequence[Voice], known: int, block_samples: int) -> list[Voice]:
    """Voices whose next block ends before `known`, up to which all events are known."""
    ends = {v: v.params.at + v.planned_end + block_samples for v in voices if v.lacks(known)}
    return sorted((voice for voice, end in ends.items() if end <= known), key=lambda v: ends[v])[:_OFFLINE_VOICES]


def _lacking(voices: Sequence[Voice], by: int) -> list[Voice]:
    found = [v for v in voices if v.params.at < by and v.lacks(by - v.params.at - v.position)]
    return sorted(found, key=lambda v: v.params.at + v.planned_end)


def _first(voices: Sequence[Voice], evaluations: int) -> list[Voice]:
    """The first voices that together take at most this many evaluations."""
    taken = accumulate(voice.steps for voice in voices)
    return [voice for voice, total in zip(voices, taken, strict=True) if total <= evaluations]


def _company(voices: Sequence[Voice]) -> int:
    return _OF_FEW if _evaluations(voices) <= _TO_BEGIN else _OF_MANY


def _evaluations(voices: Sequence[Voice]) -> int:
    return sum(voice.steps for voice in voices)
