"""Pads: the keys on which the timbres of a model without pitches lie, each on one of its own.

They lie on the percussion channel as a drum kit does, from its lowest key up: first what is struck, then what goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from cmaudio.model.manifest import TimbreDefinition

FIRST_KEY, _KEYS = 36, 128  # General MIDI's bass drum, where pads of controllers begin
# What goes on by repeating itself; a manifest says no more of it than that it goes on.
_RHYTHMS = frozenset(
    "3d printer|cart|chainsaw|clock|hammering|jackhammer|level crossing|lift|pump|sawing|steam engine|train".split("|")
)


def pad_keys(timbres: Sequence[TimbreDefinition]) -> Mapping[int, str]:
    """Key on the percussion channel -> timbre, for drums, and else for all timbres of a model without a pitch."""
    drums = {timbre.key: timbre.name for timbre in timbres if timbre.key is not None}
    if drums or len(timbres) < 2 or any(timbre.pitched for timbre in timbres):
        return drums
    ordered = sorted(timbres, key=lambda timbre: (timbre.sustained, timbre.name))
    numbered = enumerate((timbre.name for timbre in ordered), FIRST_KEY)
    return dict(takewhile(lambda pair: pair[0] < _KEYS, numbered))


def texture_family(timbre: TimbreDefinition) -> str:
    """What kind of sound without a pitch it is."""
    if not timbre.sustained:
        return "one-shots"
    return "rhythms" if timbre.name in _RHYTHMS else "beds"
