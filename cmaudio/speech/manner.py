"""How a text is said: what `say`, `speak` and `Speech.steer` take alike."""

from __future__ import annotations

from typing import TypedDict, cast

from cmaudio.checks import in_range

RATE_RANGE = (0.25, 4.0)
LIMITS: dict[str, tuple[float, float, str]] = {
    "rate": (*RATE_RANGE, "times"),
    "pitch": (-24.0, 24.0, "semitones"),
    "pitch_range": (0.0, 4.0, "times"),
    "energy": (-24.0, 12.0, "dB"),
}


class Manner(TypedDict, total=False):
    """rate: times as fast, 0.25..4. pitch: semitones, -24..24. pitch_range: of the melody, 0 (one tone) ..4.

    energy: dB, -24..12: effort, not volume. None, or left out: as it is.
    """

    rate: float | None
    pitch: float | None
    pitch_range: float | None
    energy: float | None


def checked(manner: Manner) -> dict[str, float]:
    """What is given of a manner. Raises CmaudioError for a value out of range, TypeError for an unknown name."""
    given = {}
    for name, value in cast("dict[str, float | None]", manner).items():
        if name not in LIMITS:
            raise TypeError(f"{name!r} is no manner of speaking; there are {', '.join(LIMITS)}")
        if value is not None:
            given[name] = in_range(name, value, *LIMITS[name])
    return given
