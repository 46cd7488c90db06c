"""Chords that morph from one timbre to another, with randomly scattered bells."""

from __future__ import annotations

from cmaudio.demos.piece import ClockDemo
from cmaudio.timing.clock import Clock
from cmaudio.timing.steps import Step

_BEATS_PER_CHORD = 8
_CHORDS = ((50, 57, 64, 66), (47, 57, 62, 66), (43, 55, 62, 69), (45, 57, 61, 64))
_FROM_TO = (
    ("string ensemble 1", "choir aahs"),
    ("french horn", "pad 7 (halo)"),
    ("pad 7 (halo)", "flute"),
    ("cello", "pad 2 (warm)"),
)
_BELLS = (78, 81, 85, 86, 88, 90)


def glass(clock: Clock) -> None:
    """Play it on a clock: four chords, `BEATS` beats."""
    sample_rate = clock.engine.sample_rate

    def chord(beat: float) -> None:
        index = round(beat / _BEATS_PER_CHORD)
        if index >= len(_CHORDS):
            return
        begin, end = clock.sample(beat), clock.sample(beat + _BEATS_PER_CHORD - 0.3)
        seconds = 0.6 * (end - begin) / sample_rate
        first, last = _FROM_TO[index]
        for i, pitch in enumerate(_CHORDS[index]):
            at = begin + round(0.04 * i * sample_rate)
            note = clock.engine.note_on(pitch, 66, timbre=first, seed=index * 8 + i, at=at)
            note.morph(last, seconds=seconds, at=at + round(0.2 * seconds * sample_rate))
            note.express("pan", (-0.5, 0.3, -0.2, 0.5)[i], at=at)
            note.off(at=end)

    clock.every(_BEATS_PER_CHORD, chord)
    bells = [Step(pitch, probability=0.45) for pitch in _BELLS]
    clock.play(bells, beat=0.5, timbre="vibraphone", velocity=[58, 44, 50], humanise_ms=15, gate=3, loop=True, seed=4)


BEATS = float(_BEATS_PER_CHORD * len(_CHORDS))
GLASS = ClockDemo("glass", "Glass", "timbres that morph while they sound", perform=glass, beats=BEATS, tempo=72)
