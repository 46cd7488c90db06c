"""General MIDI level 1: names of programs and percussion keys, and stand-ins for sounds that a model lacks.

Programs are numbered 0..127 as in the MIDI bytes (most printed tables count from 1), percussion keys 35..81.
"""

from __future__ import annotations

from collections.abc import Collection

from cmaudio.errors import CmaudioError

_FAMILY_PROGRAMS = {
    "piano": "acoustic grand piano, bright acoustic piano, electric grand piano, honky-tonk piano, "
    "electric piano 1, electric piano 2, harpsichord, clavinet",
    "chromatic percussion": "celesta, glockenspiel, music box, vibraphone, marimba, xylophone, tubular bells, dulcimer",
    "organ": "drawbar organ, percussive organ, rock organ, church organ, reed organ, accordion, harmonica, "
    "tango accordion",
    "guitar": "acoustic guitar (nylon), acoustic guitar (steel), electric guitar (jazz), electric guitar (clean), "
    "electric guitar (muted), overdriven guitar, distortion guitar, guitar harmonics",
    "bass": "acoustic bass, electric bass (finger), electric bass (pick), fretless bass, slap bass 1, slap bass 2, "
    "synth bass 1, synth bass 2",
    "strings": "violin, viola, cello, contrabass, tremolo strings, pizzicato strings, orchestral harp, timpani",
    "ensemble": "string ensemble 1, string ensemble 2, synth strings 1, synth strings 2, choir aahs, voice oohs, "
    "synth voice, orchestra hit",
    "brass": "trumpet, trombone, tuba, muted trumpet, french horn, brass section, synth brass 1, synth brass 2",
    "reed": "soprano sax, alto sax, tenor sax, baritone sax, oboe, english horn, bassoon, clarinet",
    "pipe": "piccolo, flute, recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina",
    "synth lead": "lead 1 (square), lead 2 (sawtooth), lead 3 (calliope), lead 4 (chiff), lead 5 (charang), "
    "lead 6 (voice), lead 7 (fifths), lead 8 (bass + lead)",
    "synth pad": "pad 1 (new age), pad 2 (warm), pad 3 (polysynth), pad 4 (choir), pad 5 (bowed), pad 6 (metallic), "
    "pad 7 (halo), pad 8 (sweep)",
    "synth effects": "fx 1 (rain), fx 2 (soundtrack), fx 3 (crystal), fx 4 (atmosphere), fx 5 (brightness), "
    "fx 6 (goblins), fx 7 (echoes), fx 8 (sci-fi)",
    "ethnic": "sitar, banjo, shamisen, koto, kalimba, bagpipe, fiddle, shanai",
    "percussive": "tinkle bell, agogo, steel drums, woodblock, taiko drum, melodic tom, synth drum, reverse cymbal",
    "sound effects": "guitar fret noise, breath noise, seashore, bird tweet, telephone ring, helicopter, applause, "
    "gunshot",
}

FAMILIES: tuple[str, ...] = tuple(_FAMILY_PROGRAMS)
PROGRAMS: tuple[str, ...] = tuple(name for names in _FAMILY_PROGRAMS.values() for name in names.split(", "))

_PERCUSSION_NAMES = (
    "acoustic bass drum, bass drum 1, side stick, acoustic snare, hand clap, electric snare, low floor tom, "
    "closed hi-hat, high floor tom, pedal hi-hat, low tom, open hi-hat, low-mid tom, hi-mid tom, crash cymbal 1, "
    "high tom, ride cymbal 1, chinese cymbal, ride bell, tambourine, splash cymbal, cowbell, crash cymbal 2, "
    "vibraslap, ride cymbal 2, hi bongo, low bongo, mute hi conga, open hi conga, low conga, high timbale, "
    "low timbale, high agogo, low agogo, cabasa, maracas, short whistle, long whistle, short guiro, long guiro, "
    "claves, hi wood block, low wood block, mute cuica, open cuica, mute triangle, open triangle"
)
PERCUSSION: dict[int, str] = dict(enumerate(_PERCUSSION_NAMES.split(", "), start=35))

# Stand-ins chosen by ear, best first: attack and decay count more than timbre, since a sustained note in place of a
# plucked one changes the rhythm of a piece.
_SIMILAR: dict[int, tuple[int, ...]] = {
    96: (88, 10, 11),  # rain: new age pad, music box
    97: (89, 50, 48),  # soundtrack: warm pad, synth strings
    98: (10, 8, 11),  # crystal: music box, celesta
    99: (88, 24, 4),  # atmosphere: new age pad, nylon guitar
    100: (93, 90, 5),  # brightness: metallic pad, polysynth
    101: (94, 91, 89),  # goblins: halo pad, choir pad
    102: (95, 88, 4),  # echoes: sweep pad
    103: (95, 93, 80),  # sci-fi: sweep pad, metallic pad
    104: (25, 15, 24),  # sitar: steel guitar, dulcimer
    105: (25, 24, 15),  # banjo: steel guitar
    106: (24, 25, 45),  # shamisen: nylon guitar
    107: (46, 24, 15),  # koto: harp
    108: (10, 12, 45),  # kalimba: music box, marimba
    109: (68, 20, 71),  # bagpipe: oboe, reed organ
    110: (40, 41, 48),  # fiddle: violin
    111: (68, 69, 71),  # shanai: oboe
    112: (9, 10, 8),  # tinkle bell: glockenspiel
    113: (9, 13, 11),  # agogo: glockenspiel
    114: (11, 12, 10),  # steel drums: vibraphone
    115: (13, 12, 45),  # woodblock: xylophone
    116: (47, 12, 45),  # taiko drum: timpani
    117: (47, 12, 45),  # melodic tom: timpani
    118: (47, 12, 38),  # synth drum: timpani
    119: (95, 93, 44),  # reverse cymbal: sweep pad
    120: (28, 25, 45),  # guitar fret noise: muted guitar
    121: (77, 75, 76),  # breath noise: shakuhachi, pan flute
    122: (95, 88, 89),  # seashore: sweep pad
    123: (78, 72, 73),  # bird tweet: whistle, piccolo
    124: (9, 13, 10),  # telephone ring: glockenspiel
    125: (44, 95, 47),  # helicopter: tremolo strings
    126: (95, 93, 44),  # applause: sweep pad
    127: (47, 55, 12),  # gunshot: timpani, orchestra hit
}

# For each family the most similar families, best first.
_KIN: tuple[tuple[int, ...], ...] = (
    (1, 3, 2),  # piano
    (0, 3),  # chromatic percussion
    (8, 11, 6, 0),  # organ
    (0, 1, 4),  # guitar
    (3, 0),  # bass
    (6, 8, 11),  # strings
    (5, 11, 2),  # ensemble
    (8, 6, 9),  # brass
    (9, 7, 5),  # reed
    (8, 5, 2),  # pipe
    (8, 9, 7, 11),  # synth lead
    (6, 2, 5),  # synth pad
    (11, 6, 10),  # synth effects
    (3, 5, 0),  # ethnic
    (1, 0),  # percussive
    (12, 11),  # sound effects
)

# Percussion key -> (program, pitch). Snares, hats, cymbals, shakers, scrapers and the cuica are left out: they are
# noise, and any pitched sound in their place would be a wrong note.
_PERCUSSION_STAND_INS: dict[int, tuple[int, int]] = {
    **{35: (47, 36), 36: (47, 38)},
    **{41: (47, 41), 43: (47, 43), 45: (47, 45), 47: (47, 48), 48: (47, 50), 50: (47, 53)},
    **{37: (13, 72), 75: (13, 91), 76: (13, 84), 77: (13, 77)},
    **{60: (12, 72), 61: (12, 65), 62: (12, 62), 63: (12, 60), 64: (12, 55)},
    **{65: (47, 57), 66: (47, 52)},
    **{53: (9, 96), 56: (9, 84), 67: (9, 91), 68: (9, 86), 80: (9, 103), 81: (9, 103)},
    **{71: (72, 98), 72: (72, 96)},
}


def family(program: int) -> str:
    """The General MIDI family of `program` (0..127), such as "reed". Raises CmaudioError outside that range."""
    return FAMILIES[_checked(program) // 8]


def nearest_program(program: int, available: Collection[int]) -> int:
    """The best substitute for `program` (0..127) in `available`; `program` itself if it is available.

    In order of preference: the nearest number of the same family, the hand-made list of similar sounds, the nearest
    number of a related family, the nearest number overall. Of two equally near numbers the lower one is taken.

    Raises CmaudioError if `program` is out of range or `available` is empty.
    """
    _checked(program)
    if not available:
        raise CmaudioError("the model has no programs. Use a model that was trained on at least one.")
    for group in (program // 8, *_KIN[program // 8]):
        members = [candidate for candidate in available if candidate // 8 == group]
        if members:
            return _nearest(program, members)
        if group == program // 8:
            for candidate in _SIMILAR.get(program, ()):
                if candidate in available:
                    return candidate
    return _nearest(program, available)


def nearest_percussion(key: int) -> tuple[int, int] | None:
    """A program (0..95) and pitch (MIDI note number) that stand in for percussion `key` on a pitched model.

    None where nothing sensible exists: for noises such as snares, cymbals and shakers, and for keys outside 35..81.
    """
    return _PERCUSSION_STAND_INS.get(key)


def _nearest(program: int, candidates: Collection[int]) -> int:
    return min(candidates, key=lambda candidate: (abs(candidate - program), candidate))


def _checked(program: int) -> int:
    if not 0 <= program < len(PROGRAMS):
        raise CmaudioError(f"program {program} is not a General MIDI program. Use a number from 0 to 127.")
    return program
