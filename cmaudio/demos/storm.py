"""A storm that passes in two minutes: rain, wind and thunder, steered while they sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cmaudio.demos.piece import ClockDemo
from cmaudio.engine.note import Note
from cmaudio.timing.clock import Clock
from cmaudio.timing.scattering import ScatterSettings

SECONDS = 120.0
_TEMPO = 60.0  # a beat is a second
_SETTLED_SAMPLES = 4  # a move starts where the previous one has ended
Curve = Sequence[tuple[float, float]]  # (beat, value), straight lines between


@dataclass(frozen=True)
class Bed:
    """An endless sound, from its first beat to its last, and the curves of its expressions."""

    timbre: str
    begin: float
    end: float
    curves: Mapping[str, Curve]
    pan: float = 0.0


@dataclass(frozen=True)
class Strokes:
    """Randomly scattered one-shots: events per second over time, and their positions."""

    timbres: Sequence[str]
    density: Curve
    spread: ScatterSettings
    level_db: float
    channel: int


BEDS = (
    Bed(
        "wind",
        0,
        118,
        {
            "level": ((0, -6), (30, -4), (55, 3), (75, 3), (95, -9), (118, -36)),
            "intensity": ((0, 0.3), (30, 0.6), (55, 0.9), (75, 0.9), (118, 0.3)),
            "sharpness": ((0, 0.35), (55, 0.65), (118, 0.35)),
            "distance": ((0, 0.25), (45, 0.1), (80, 0.1), (118, 0.6)),
        },
        pan=-0.2,
    ),
    Bed(
        "rain",
        12,
        114,
        {
            "level": ((12, -24), (35, -6), (55, 3), (75, 3), (100, -9), (114, -40)),
            "intensity": ((12, 0.25), (55, 0.85), (75, 0.85), (114, 0.2)),
            "density": ((12, 0.15), (55, 0.9), (75, 0.9), (114, 0.15)),
            "brightness": ((12, -2), (55, 0.5), (114, -1.5)),
            "distance": ((12, 0.7), (45, 0.0), (85, 0.0), (114, 0.4)),
        },
        pan=0.15,
    ),
    Bed(
        "waterfall",
        38,
        88,
        {
            "level": ((38, -30), (55, -5), (72, -5), (88, -34)),
            "sharpness": ((38, 0.3), (60, 0.45), (88, 0.3)),
        },
    ),
    Bed(
        "stream",
        78,
        120,
        {"level": ((78, -30), (96, -4), (108, -4), (119.5, -40)), "density": ((78, 0.5), (120, 0.7))},
        pan=0.35,
    ),
    Bed(
        "birds",
        100,
        120,
        {"level": ((100, -34), (109, -3), (113, -3), (119.5, -40)), "distance": ((100, 0.6), (120, 0.3))},
        pan=-0.4,
    ),
)
STROKES = (
    Strokes(
        ("water drop",),
        ((0, 0), (8, 0.5), (22, 4), (34, 0), (92, 0), (100, 3), (116, 0.6), (119, 0)),
        {"level_spread": 14, "pan_spread": 0.9, "distance_spread": 0.4, "colour_spread": 0.6},
        -4,
        1,
    ),
    Strokes(
        ("wood creak", "rustle"),
        ((0, 0), (24, 0), (30, 0.3), (55, 0.8), (75, 0.8), (90, 0.1), (96, 0)),
        {"level_spread": 10, "pan_spread": 0.8, "distance_spread": 0.4, "colour_spread": 0.4},
        -6,
        2,
    ),
)
# Beat, pan, distance, size, level in dB.
THUNDER = (
    (18, 0.7, 0.9, 0.9, 6),
    (31, -0.6, 0.7, 0.9, 6),
    (43, 0.4, 0.4, 0.8, 5),
    (52.5, -0.2, 0.1, 0.7, 4),
    (60, 0.1, 0.0, 0.85, 4),
    (67, 0.5, 0.15, 0.75, 4),
    (77, -0.5, 0.5, 0.85, 6),
    (89, -0.7, 0.8, 0.95, 6),
    (103, 0.8, 1.0, 1.0, 6),
)


def storm(clock: Clock) -> None:
    """Play it on a clock of 60 beats a minute."""
    for name, value in {"reverb_kind": 3, "reverb_decay": 5.5, "reverb_damping": 0.5, "reverb_predelay": 40}.items():
        clock.controls.set(name, value)
    for number, bed in enumerate(BEDS):
        _play_bed(clock, bed, seed=number)
    for number, (beat, pan, distance, size, level) in enumerate(THUNDER):
        at = clock.sample(beat)
        clap = clock.engine.note_on(48, 120, timbre="thunder", seed=40 + number, at=at)
        for name, value in {"pan": pan, "distance": distance, "size": size, "level": level}.items():
            clap.express(name, value, 0, at=at)
        clap.off(at=at + clock.engine.sample_rate)
    for number, strokes in enumerate(STROKES):
        _scatter(clock, strokes, seed=number)


def _play_bed(clock: Clock, bed: Bed, seed: int) -> None:
    """Start a bed, and play its curves to its end."""
    note = clock.engine.note_on(60, 110, timbre=bed.timbre, seed=seed, at=clock.sample(bed.begin))
    note.express("width", 0.9, 0, at=clock.sample(bed.begin))
    note.express("pan", bed.pan, 0, at=clock.sample(bed.begin))
    for name, curve in bed.curves.items():
        _draw(clock, note, name, curve)
    note.off(at=clock.sample(bed.end))


def _draw(clock: Clock, note: Note, name: str, curve: Curve) -> None:
    note.express(name, curve[0][1], 0, at=clock.sample(curve[0][0]))
    for (since, _), (until, value) in pairwise(curve):
        note.express(name, value, until - since, at=clock.sample(since) + _SETTLED_SAMPLES)


def _scatter(clock: Clock, strokes: Strokes, seed: int) -> None:
    """Scatter, changing the density every second."""
    clock.engine.express("level", strokes.level_db, strokes.channel, at=0)
    how: ScatterSettings = {"density": 0, "seed": seed, "channel": strokes.channel, "velocity": 110, **strokes.spread}
    scatter = clock.scatter(list(strokes.timbres), **how)
    clock.every(1, lambda beat: scatter.change(density=_at(strokes.density, beat)))


def _at(curve: Curve, beat: float) -> float:
    for (since, before), (until, after) in pairwise(curve):
        if since <= beat < until:
            return before + (after - before) * (beat - since) / (until - since)
    return 0.0


STORM = ClockDemo(
    "storm",
    "A storm that comes and goes",
    "textures, steered and scattered",
    model="textures",
    perform=storm,
    beats=SECONDS * _TEMPO / 60,
    tempo=_TEMPO,
)
