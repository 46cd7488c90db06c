"""XG's kits of sound effects (bank 126): which General MIDI program stands in for each key.

The two kits of XG level 1 hold the effects of bank 64, sixteen keys a group: the first kit numbers 0 to 63 from key 36
up, the second 64 to 127 (Yamaha, "XG Specifications", SFX kits). Voices and animals, for which General MIDI has no
equivalent, have no entry.
"""

from __future__ import annotations

KITS = (0, 1)  # programs of bank 126; its others are percussion of a region or style
_FIRST_KEY, _EFFECTS_OF_KIT = 36, 64
_FRET, _BREATH, _SEA, _BIRD, _TELEPHONE, _HELICOPTER, _APPLAUSE, _GUNSHOT = range(120, 128)
_SLAP_BASS, _SQUARE_LEAD, _GOBLINS, _SCI_FI, _TINKLE_BELL, _WOODBLOCK, _TAIKO = 36, 80, 101, 103, 112, 115, 116
# Number of an effect -> (program, pitch). Within a kit all pitches differ, so that a key ends only its own note.
_STAND_INS: dict[int, tuple[int, int]] = {
    **{0: (_FRET, 60), 1: (_FRET, 55), 3: (_SLAP_BASS, 40)},  # cuts of a guitar, slap of a string
    **{16: (_WOODBLOCK, 84)},  # click of a flute's key
    **{32: (_APPLAUSE, 72), 33: (_GUNSHOT, 36)},  # rain, thunder
    **{34: (_SEA, 59), 35: (_SEA, 71)},  # wind, stream
    **{49: (_HELICOPTER, 74), 50: (_BIRD, 62)},  # gallop, birds
    **{53: (_GOBLINS, 61), 54: (_GOBLINS, 67), 55: (_GOBLINS, 48)},  # haunted, ghost, demon
    **{64: (_TELEPHONE, 72), 70: (_TELEPHONE, 60)},  # dialling, ringing
    **{65: (_FRET, 73), 66: (_GUNSHOT, 48)},  # door that squeaks, and slams
    **{67: (_FRET, 65), 68: (_FRET, 67), 69: (_TINKLE_BELL, 83)},  # scratches, wind chime
    **{80: (_HELICOPTER, 55), 81: (_FRET, 82)},  # a car starts, and brakes
    **{82: (_SEA, 49), 83: (_GUNSHOT, 59)},  # passes, crashes
    **{84: (_SQUARE_LEAD, 74), 85: (_HELICOPTER, 50), 86: (_SEA, 80)},  # siren, train, jet
    **{87: (_SCI_FI, 61), 88: (_APPLAUSE, 85)},  # starship, burst of noise
    **{98: (_TAIKO, 47), 99: (_TAIKO, 36)},  # punch, heartbeat
    **{100: (_WOODBLOCK, 52), 101: (_APPLAUSE, 62)},  # steps, applause
    **{112: (_HELICOPTER, 84), 113: (_SCI_FI, 86)},  # machine gun, laser gun
    **{114: (_GUNSHOT, 40), 115: (_GUNSHOT, 66)},  # explosion, firework
}


def sound_effect(kit: int, key: int) -> tuple[int, int] | None:
    """The program (0..127) and pitch (MIDI note number) that stand in for a key of a kit; None where nothing does.

    Args:
        kit: one of `KITS`.
        key: MIDI note number.
    """
    if not _FIRST_KEY <= key < _FIRST_KEY + _EFFECTS_OF_KIT:
        return None
    return _STAND_INS.get(kit * _EFFECTS_OF_KIT + key - _FIRST_KEY)
