"""Pads: the keys of the timbres of an unpitched model, one key each.

They are on the percussion channel, like a drum kit, from its lowest key up: first one-shots, then endless sounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from cmaudio.model.manifest import TimbreDefinition

FIRST_KEY, _KEYS = 36, 128  # General MIDI's bass drum, where pads of controllers begin
# Endless timbres that are rhythms; in a manifest they are only marked as endless.
_RHYTHMS = frozenset(
    "3d printer|cart|chainsaw|clock|hammering|jackhammer|level crossing|lift|pump|sawing|steam engine|train".split("|")
)


def pad_keys(timbres: Sequence[TimbreDefinition]) -> Mapping[int, str]:
    """Key on the percussion channel -> timbre: for drums, or else for all timbres of an unpitched model."""
    drums = {timbre.key: timbre.name for timbre in timbres if timbre.key is not None}
    if drums or len(timbres) < 2 or any(timbre.pitched for timbre in timbres):
        return drums
    ordered = sorted(timbres, key=lambda timbre: (timbre.sustained, timbre.name))
    numbered = enumerate((timbre.name for timbre in ordered), FIRST_KEY)
    return dict(takewhile(lambda pair: pair[0] < _KEYS, numbered))


def texture_family(timbre: TimbreDefinition) -> str:
    """The family of an unpitched timbre: "one-shots", "rhythms" or "beds"."""
    if not timbre.sustained:
        return "one-shots"
    return "rhythms" if timbre.name in _RHYTHMS else "beds"
