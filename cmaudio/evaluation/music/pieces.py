"""The pieces, written for this measurement: a ragtime, a chorale, a string quartet, and a pop song with drums."""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.demos.writing import Note, Part, drum_line, write_score
from cmaudio.score.events import Score
from cmaudio.score.pitch import note_number

PIANO, ELECTRIC_PIANO, GUITAR, BASS = 0, 4, 25, 33
VIOLIN, VIOLA, CELLO, STRINGS, CHOIR, SAX = 40, 41, 42, 48, 52, 65
_KICK, _SNARE, _CLOSED_HAT, _OPEN_HAT, _CRASH = 36, 38, 42, 46, 49
_ACCENT = 14


def line(text: str, velocity: int, held: float = 0.95) -> list[Note]:
    """The notes of a part.

    Args:
        text: "C4:1 Eb4+G4:.5 r:.5" is a note of one beat, then a chord and a rest of half a beat each. A length holds
            until another is given; "!" after the pitches accents them, "|" between bars is ignored.
        velocity: of notes without an accent.
        held: fraction of its length for which a note is held.
    """
    notes: list[Note] = []
    beat, length = 0.0, 1.0
    for token in text.replace("|", " ").split():
        names, _, number = token.partition(":")
        length = float(number) if number else length
        accented = names.endswith("!")
        if names != "r":
            strength = velocity + _ACCENT * accented
            notes += [(beat, held * length, note_number(n), strength) for n in names.rstrip("!").split("+")]
        beat += length
    return notes


def ragtime() -> Score:
    """Eight bars of two beats for piano: octaves and chords to the left, syncopation to the right."""
    right = """
        r:.25 E5+C5 G5 E5+C5:.5 G5:.25 C6+E5!:.5 | A5+F5:.25 C6 A5+F5 G5+E5!:.75 r:.25 D#5 |
        E5:.25 G5+C5 E5 C6+G5!:.5 A5:.25 G5+E5:.5 | F#5+C5:.25 A5 D5 C6+F#5!:.5 B5:.25 A5:.5 |
        B4+G5!:.25 D5 G5 B5+D5:.5 G5:.25 D6+G5:.5 | C6+E5:.25 G5 E5 C6+E5!:.5 Bb5:.25 A5+F5:.5 |
        Ab5+F5:.25 C6 F5 G5+E5!:.5 C6:.25 E6+C6:.5 | D6+F5!:.25 B5 G5 C6+E5+C5!:1 r:.25
    """
    left = """
        C2+C3!:.5 E4+G3+C4 G2+G1 E4+G3+C4 | F2+F3! F4+A3+C4 C2+C3 E4+G3+C4 |
        C2+C3! E4+G3+C4 A1+A2 E4+A3+C4 | D2+D3! F#4+A3+C4 D2+D3 F#4+A3+C4 |
        G1+G2! F4+G3+B3 B1+B2 F4+G3+B3 | C2+C3! E4+G3+C4 Bb1+Bb2 E4+G3+C4 |
        F2+F3! F4+Ab3+C4 C2+C3 E4+G3+C4 | G1+G2! F4+G3+B3 C2+C3! r
    """
    return write_score("ragtime", 84, [Part(PIANO, [*line(right, 84, 0.9), *line(left, 70, 0.7)])])


def chorale() -> Score:
    """Four bars of four parts, sung."""
    parts = {
        "D5 D5 E5 D5 | C5 B4 A4:2 | B4:1 C5 D5 B4 | A4 A4 G4:2": 76,
        "G4 A4 G4 G4 | E4 D4 D4:2 | D4:1 E4 G4 G4 | E4 F#4 D4:2": 70,
        "B3 D4 C4 B3 | A3 G3 F#3:2 | G3:1 A3 B3 B3 | C4 C4 B3:2": 70,
        "G3 F#3 E3 D3 | A2 B2 D3:2 | G2:1 C3 D3 E3 | C3 D3 G2:2": 76,
    }
    return write_score("chorale", 76, [Part(CHOIR, line(text, loud, 0.98)) for text, loud in parts.items()])


def quartet() -> Score:
    """Six bars in D minor for two violins, viola and cello."""
    first = """
        A5!:1.5 G5:.5 F5:1 E5 | F5!:.5 G5 A5 Bb5 A5:2 | D6!:1.5 C6:.5 Bb5:1 A5 |
        G5!:.5 A5 Bb5 G5 F5:1 E5 | F5!:.5 E5 D5 F5 E5:1 C#5 | D5!:4
    """
    second = """
        F4:.5 D5 F4 D5 F4 D5 G4 C#5 | D5 A4 D5 A4 F4 D5 F4 D5 | F4 Bb4 F4 Bb4 G4 D5 F#4 D5 |
        G4 D5 G4 D5 A4 D5 A4 C#5 | A4 D5 A4 D5 G4 Bb4 A4 G4 | F4!:4
    """
    viola = "D4:2 D4:1 A3 | A3:2 F4 | D4 D4 | Bb3:1 D4 D4 A3 | D4 A3 Bb3 E4 | A3!:4"
    cello = """
        D3!:1 A2 D3 A2 | D3:.5 E3 F3 G3 D3:2 | Bb2!:1 F3 G2 D3 | Eb3:.5 D3 C3 Bb2 A2:2 | D3!:1 F2 G2 A2 | D2+A2!:4
    """
    parts = ((VIOLIN, first, 84), (VIOLIN, second, 66), (VIOLA, viola, 72), (CELLO, cello, 78))
    return write_score("string quartet", 108, [Part(program, line(text, loud)) for program, text, loud in parts])


def pop() -> Score:
    """Six bars: saxophone, electric piano, steel guitar, bass, strings and drums."""
    sax = """
        r:1 E5:.5 G5 A5!:1 G5:.5 E5 | D5!:1.5 E5:.5 C5:1 r | r:.5 C5 E5 G5 A5!:1 C6 |
        B5!:1.5 A5:.5 G5:1 r | A5!:.5 G5 E5 D5 C5:1 D5:.5 E5 | C5!:4
    """
    keys = """
        C4+E4+G4!:1.5 C4+E4+G4:.5 r:.5 B3+E4+G4:1.5 | A3+C4+E4+G4!:1.5 A3+C4+E4:.5 r:.5 A3+C4+E4:1.5 |
        F3+A3+C4+E4!:1.5 A3+C4+E4:.5 r:.5 A3+C4+E4:1.5 | G3+B3+D4+F4!:1.5 G3+B3+D4:.5 r:.5 G3+B3+F4:1.5 |
        F3+A3+C4!:1.5 A3+C4:.5 G3+B3+D4!:2 | C4+E4+G4!:4
    """
    guitar = " | ".join(
        " ".join(f"{chord[i]}:.5" for i in (0, 1, 2, 3, 1, 2, 3, 1))
        for chord in (
            ("C3", "E4", "G4", "C5"), ("A2", "E4", "A4", "C5"), ("F3", "C4", "A4", "C5"),
            ("G2", "D4", "G4", "B4"), ("F3", "C4", "F4", "A4"), ("C3", "E4", "G4", "C5"),
        )
    )  # fmt: skip
    bass = """
        C2!:.75 C2:.25 r:.5 C2 G2:.75 C2:.25 E2:.5 G2 | A1!:.75 A1:.25 r:.5 A1 E2:.75 A1:.25 C2:.5 E2 |
        F1!:.75 F1:.25 r:.5 F1 C2:.75 F1:.25 A1:.5 C2 | G1!:.75 G1:.25 r:.5 G1 D2:.75 G1:.25 B1:.5 D2 |
        F1!:.75 F1:.25 C2:1 G1!:.75 G1:.25 D2:1 | C2!:4
    """
    strings = "G4+C5+E5:4 | A4+C5+E5 | A4+C5+F5 | G4+B4+D5 | A4+C5+F5:2 B4+D5+G5 | G4+C5+E5:4"
    parts = [
        Part(SAX, line(sax, 88), 0.8),
        Part(ELECTRIC_PIANO, line(keys, 74), 0.7),
        Part(GUITAR, line(guitar, 70), 0.6),
    ]
    parts += [Part(BASS, line(bass, 90), 0.9), Part(STRINGS, line(strings, 64), 0.4)]
    beat = {_KICK: "X.....x.x.x.....", _SNARE: "....X..o.o..X...", _CLOSED_HAT: "x.x.x.x.x.x.x..."}
    bars = [
        beat | {_CRASH: "X"},
        *(beat | {_OPEN_HAT: "..............x."} for _ in range(4)),
        {_KICK: "X", _SNARE: "x", _CRASH: "X"},
    ]
    return write_score("pop", 112, parts, Part(0, drum_line(bars), 0.8))


PIECES: tuple[Callable[[], Score], ...] = (ragtime, chorale, quartet, pop)
