"""Stereo positions of keys: keyboards from the player's perspective, drum kits from the audience's.

Positions are -1 (left) to 1.
"""

from __future__ import annotations

_MIDDLE_KEY, _REACH_KEYS = 64, 44  # of a piano with 88 keys
_HARP = 46
_KEYBOARDS = frozenset((*range(16), _HARP))  # pianos, and what is struck with mallets in front of the player

# General MIDI percussion keys; the others, including bass drums and snares, are in the centre.
_DRUMS = {
    **{41: -0.6, 43: -0.4, 45: -0.2, 47: 0.1, 48: 0.3, 50: 0.5},  # toms
    **{42: 0.4, 44: 0.4, 46: 0.4},  # hi-hats
    **{49: 0.5, 51: -0.4, 52: -0.6, 53: -0.4, 55: 0.3, 57: -0.5, 59: -0.5},  # cymbals
    **{39: -0.2, 54: -0.3, 56: 0.3, 58: -0.5},  # hand clap, tambourine, cowbell, vibraslap
    **{60: 0.6, 61: 0.5, 62: -0.4, 63: -0.5, 64: -0.6, 65: 0.4, 66: 0.5},  # bongos, congas, timbales
    **{67: -0.6, 68: -0.5, 69: -0.6, 70: -0.4, 71: 0.5, 72: 0.5, 73: 0.6, 74: 0.6},  # agogos to guiros
    **{75: 0.4, 76: 0.6, 77: 0.5, 78: -0.5, 79: -0.5, 80: -0.6, 81: -0.6},  # claves to triangles
}


def place_of(pitch: float, program: int | None, drum: int | None) -> float:
    """The place of a note.

    Args:
        pitch: MIDI note number.
        program: General MIDI program of its timbre, if it has one.
        drum: key of its timbre on the percussion channel, if it has one.
    """
    if drum is not None:
        return _DRUMS.get(drum, 0.0)
    if program in _KEYBOARDS:
        return min(1.0, max(-1.0, (pitch - _MIDDLE_KEY) / _REACH_KEYS))
    return 0.0
