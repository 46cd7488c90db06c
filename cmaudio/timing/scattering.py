"""Settings of scattered sounds: rate, and spreads of pitch, level, position and colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import channel_number, in_range, whole_number
from cmaudio.controls.scatter import DENSITY_MAX, GRID_MAX, LEVEL_MAX_DB, PITCH_MAX
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.score.ranges import SEED_LIMIT

VOICES_MAX = 64
_SECONDS_RANGE = (0.01, 600.0)


class ScatterSettings(TypedDict, total=False):
    """The fields of `Scattering`."""

    density: float
    grid: float
    pitch: float
    pitch_spread: float
    velocity: float | None
    level_spread: float
    pan_spread: float
    distance_spread: float
    colour_spread: float
    seconds: float
    voices: int
    seed: int
    channel: int


@dataclass(frozen=True)
class Scattering:
    """How sounds are scattered. Spreads are of uniform distributions.

    Attributes:
        density: events per second, 0 for none. Without a grid they are independent (a Poisson process).
        grid: spacing of the events in beats; 0: no grid.
        pitch: MIDI note number in the middle.
        pitch_spread: semitones above and below it.
        velocity: 1..127; None: the control's.
        level_spread: dB by which events may be softer.
        pan_spread: 0..1 to either side.
        distance_spread: 0..1 by which events may be further away.
        colour_spread: 0..1; of textures sharpness and size, of others brightness.
        seconds: how long a sound is held; one-shots play to their end.
        voices: maximum number of sounding events; for a further one, the oldest fades out.
        seed: the same seed gives the same events.
        channel: MIDI channel 0..15.

    Raises:
        CmaudioError: a value out of range.
    """

    density: float = 2.0
    grid: float = 0.0
    pitch: float = 60.0
    pitch_spread: float = 0.0
    velocity: float | None = None
    level_spread: float = 6.0
    pan_spread: float = 0.5
    distance_spread: float = 0.2
    colour_spread: float = 0.2
    seconds: float = 1.0
    voices: int = 8
    seed: int = 0
    channel: int = 0

    def __post_init__(self) -> None:
        in_range("density", self.density, 0, DENSITY_MAX, "events a second")
        in_range("grid", self.grid, 0, GRID_MAX, "beats, 0 for none")
        in_range("pitch", self.pitch, 0, 127, "MIDI note number")
        in_range("pitch_spread", self.pitch_spread, 0, PITCH_MAX, "semitones")
        in_range("level_spread", self.level_spread, 0, LEVEL_MAX_DB, "dB")
        for name in ("pan_spread", "distance_spread", "colour_spread"):
            in_range(name, getattr(self, name), 0, 1, "of full")
        in_range("seconds", self.seconds, *_SECONDS_RANGE, "seconds")
        whole_number("voices", self.voices, 1, VOICES_MAX)
        whole_number("seed", self.seed, 0, SEED_LIMIT)
        channel_number(self.channel)
        if self.velocity is not None:
            in_range("velocity", self.velocity, 1, 127, "MIDI velocity")

    def with_(self, settings: ScatterSettings) -> Scattering:
        """With some fields changed. Raises CmaudioError for an unknown name or a value out of range."""
        known = [field.name for field in fields(self)]
        for name in settings:
            if name not in known:
                raise CmaudioError(f"scattering has no setting {name!r}; available: {', '.join(known)}")
        return replace(self, **settings)


@dataclass(frozen=True)
class Event:
    """One sound.

    Attributes:
        wait: time after the previous event, in mean intervals.
        chance: 0..1, for a grid: it sounds if this is below the probability.
        choice: 0..1, among several timbres.
        pitch: MIDI note number, whole.
        level_db: 0 or less.
        pan: -1..1.
        distance: 0..1.
        sharpness: -0.5..0.5 around the centre.
        size: -0.5..0.5 around the centre.
        seed: of its samples.
    """

    wait: float
    chance: float
    choice: float
    pitch: int
    level_db: float
    pan: float
    distance: float
    sharpness: float
    size: float
    seed: int


def event_of(scattering: Scattering, number: int) -> Event:
    """The event with a number from 0, a function of the seed, the number and the spreads only."""
    rng = np.random.default_rng((scattering.seed, number))
    wait = float(rng.exponential())
    chance, choice, pitch, level, pan, distance, sharpness, size = rng.random(8).tolist()
    spread = scattering
    return Event(
        wait=wait,
        chance=chance,
        choice=choice,
        pitch=round(min(127.0, max(0.0, spread.pitch + spread.pitch_spread * (2 * pitch - 1)))),
        level_db=-spread.level_spread * level,
        pan=spread.pan_spread * (2 * pan - 1),
        distance=spread.distance_spread * distance,
        sharpness=spread.colour_spread * (sharpness - 0.5),
        size=spread.colour_spread * (size - 0.5),
        seed=int(rng.integers(2**63)),
    )


def chosen_timbres(timbres: Timbre | Sequence[Timbre] | None, model: Model) -> list[NDArray[np.float64]]:
    """The vectors (Z,) of one timbre, or of several from which every event chooses; an empty list for None.

    Raises CmaudioError for an unknown timbre.
    """
    if timbres is None:
        return []
    named = (str, Mapping, np.ndarray)
    if isinstance(timbres, list | tuple) and any(isinstance(each, named) for each in timbres):
        return [model.timbre_vector(timbre) for timbre in timbres]
    return [model.timbre_vector(timbres)]  # type: ignore[arg-type]  # a list of numbers is one timbre
