"""How a text is spoken: the settings that `say`, `speak` and `Speech.steer` share."""

from __future__ import annotations

from typing import TypedDict, cast

from cmaudio.checks import in_range

RATE_RANGE = (0.25, 4.0)
STYLE_LIMITS: dict[str, tuple[float, float, str]] = {
    "rate": (*RATE_RANGE, "times"),
    "pitch": (-24.0, 24.0, "semitones"),
    "pitch_range": (0.0, 4.0, "times"),
    "energy": (-24.0, 12.0, "dB"),
}


class SpeakingStyle(TypedDict, total=False):
    """Settings of a voice; None or left out: unchanged.

    Attributes:
        rate: speed factor, 0.25..4.
        pitch: semitones, -24..24.
        pitch_range: factor of the intonation range, 0 (monotone) to 4.
        energy: vocal effort (not volume) in dB, -24..12.
    """

    rate: float | None
    pitch: float | None
    pitch_range: float | None
    energy: float | None


def checked_style(style: SpeakingStyle) -> dict[str, float]:
    """The settings that are given. Raises CmaudioError for a value out of range, TypeError for an unknown name."""
    given = {}
    for name, value in cast("dict[str, float | None]", style).items():
        if name not in STYLE_LIMITS:
            raise TypeError(f"{name!r} is not a setting of the speaking style; available: {', '.join(STYLE_LIMITS)}")
        if value is not None:
            given[name] = in_range(name, value, *STYLE_LIMITS[name])
    return given
