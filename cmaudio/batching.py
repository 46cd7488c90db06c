"""Which voices share the next evaluation of the networks.

Times are samples of the engine's clock. An evaluation streams all weights through the processor whoever takes part, so
company is cheap: of 1, 2, 4 and 8 voices it takes 4, 5, 7 and 11 ms on two shared cores.
"""

from __future__ import annotations

from collections.abc import Sequence

from cmaudio.voice import Voice

_LIVE_VOICES = 8  # more take so long that the next reads come late
_FEW_VOICES = 4  # of those that are all easily made in time: a note that begins meanwhile waits for less
_OFFLINE_VOICES = 16  # more cost as much each
_SHARING_VOICES = 4


def batch_for_read(voices: Sequence[Voice], by: int, ahead: int) -> list[Voice]:
    """Those that need a block before they can sound until `by`, with others that soon will, up to `ahead` later."""
    now = _lacking(voices, by)
    if any(voice.network is None for voice in now):
        return now  # a note that begins is waited for: it takes nobody along
    # A few voices are cheap enough to be made when needed; many share evaluations, a little ahead of their time.
    ahead = round(ahead * min(1.0, max(0, len(voices) - 1) / _SHARING_VOICES))
    soon = [voice for voice in _lacking(voices, by + ahead) if voice not in now]
    return [*now, *soon[: max(0, _live_voices(len(voices)) - len(now))]]


def batch_to_begin(voices: Sequence[Voice], by: int) -> list[Voice]:
    """Notes that begin until `by` and have no block yet."""
    return [voice for voice in voices if voice.network is None and voice.strike.at <= by][:_LIVE_VOICES]


def batch_to_spare(voices: Sequence[Voice], by: int) -> list[Voice]:
    """Of those that sound, the first to need a block before they can go on until `by`."""
    sounding = [voice for voice in voices if voice.network is not None]
    return _lacking(sounding, by)[: _live_voices(len(sounding))]


def batch_offline(voices: Sequence[Voice], known: int, block_samples: int) -> list[Voice]:
    """Those whose next block ends before `known`, where all that happens is known until then."""
    ends = {v: v.strike.at + v.planned_end + block_samples for v in voices if v.lacks(known)}
    return sorted((voice for voice, end in ends.items() if end <= known), key=lambda v: ends[v])[:_OFFLINE_VOICES]


def _lacking(voices: Sequence[Voice], by: int) -> list[Voice]:
    found = [v for v in voices if v.strike.at < by and v.lacks(by - v.strike.at - v.position)]
    return sorted(found, key=lambda v: v.strike.at + v.planned_end)


def _live_voices(voices: int) -> int:
    return _FEW_VOICES if voices <= _LIVE_VOICES else _LIVE_VOICES
