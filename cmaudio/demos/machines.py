"""Small machines: patterns of different lengths against each other, with randomness, swing and an opening filter."""

from __future__ import annotations

from cmaudio.demos.piece import ClockDemo
from cmaudio.timing.clock import Clock
from cmaudio.timing.steps import Step, StepLike


def machines(clock: Clock) -> None:
    """Play it on a clock."""
    marimba: list[StepLike] = [60, 67, 70, Step(75, probability=0.7), 67, Step(72, probability=0.5), 65]
    clock.play(marimba, beat=0.25, timbre="marimba", velocity=[96, 70, 82], swing=0.15, gate=0.6, loop=True, seed=1)
    kalimba = [None, 84, Step(79, probability=0.6), None, 82]
    clock.play(kalimba, beat=0.5, at=8, timbre="kalimba", velocity=[78, 60], humanise_ms=6, loop=True, seed=2)
    bass = ["C2", None, "C2", "_", "Eb2", None, "Bb1", Step("G1", bend=-2)]
    clock.play(bass, beat=0.5, at=8, timbre="synth bass 1", velocity=92, gate=0.7, loop=True)
    clock.play(
        [72, None, None, Step(72, probability=0.5)], beat=0.5, at=16, timbre="woodblock", velocity=[84, 60], loop=True
    )
    chords = [("Eb4", "G4", "Bb4", "D5"), ("D4", "F4", "Bb4", "C5")]
    clock.play(chords, beat=4, at=16, timbre="pad 3 (polysynth)", velocity=54, gate=0.95, loop=True)
    clock.controls.set("brightness", -3.0)
    clock.glide("brightness", 2.0, beats=32)


MACHINES = ClockDemo(
    "machines", "Small machines", "patterns in time, with chance", perform=machines, beats=40, tempo=108
)
