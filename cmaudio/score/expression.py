"""What shapes a sounding note beside its pitch and timbre: vibrato, pressure, brightness, resonance.

Each is a number that the instrument, the channel and the note have; they add up, and move over time. Vibrato moves the
pitch, pressure swells and brightens, brightness and resonance reshape the mel frames on their way to the vocoder: the
network's own past stays as it was, so a note that is shaped does not drift.

Shapes: B voices, K frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float, Mel

VIBRATO_HZ = 5.5  # about what singers and string players do
PRESSURE_DB, PRESSURE_BRIGHTNESS = 6.0, 1.5  # at full pressure: level in dB, brightness in dB an octave
# Within so many nepers above the floor a band is lifted less and less: silence stays silent however bright.
_FLOOR_NEPERS = 2.3
_MOST_NEPERS = 4.0
_DB_TO_NEPERS = np.log(10) / 20
_UNPITCHED_PIVOT_HZ = 440.0
_SMOOTHED_BANDS = 9


@dataclass(frozen=True)
class Expression:
    """One of them: `unit`, `min` and `max` as a player meets it; 0 is as it was played."""

    name: str
    unit: str
    min: float
    max: float
    description: str


EXPRESSIONS: Mapping[str, Expression] = {
    e.name: e
    for e in (
        Expression("vibrato", "semitones", 0.0, 1.0, f"depth of a vibrato of {VIBRATO_HZ:g} Hz"),
        Expression("pressure", "of full", 0.0, 1.0, f"swells by up to {PRESSURE_DB:g} dB, and brightens"),
        Expression("brightness", "dB an octave", -6.0, 6.0, "tilts the spectrum above the pitch"),
        Expression("resonance", "of full", -1.0, 1.0, "sharpens the peaks of the spectrum, or smooths them"),
    )
}


def checked_expression(name: str, value: float) -> float:
    """`value` if it is one for this expression. Raises CmaudioError for an unknown name or a value out of range."""
    known = EXPRESSIONS.get(name)
    if known is None:
        raise CmaudioError(f"no expression {name!r}; there are {', '.join(EXPRESSIONS)}")
    return in_range(name, value, known.min, known.max, known.unit)


class SpectrumShaper:
    """Brightness and resonance of normalised log-mel frames."""

    def __init__(self, mel: Mel, mean: NDArray[np.float32], std: NDArray[np.float32]) -> None:
        self._mean, self._std = mean, std
        self._floor = float(np.log(mel.floor))
        self._octaves = np.log2(np.maximum(mel.centres_hz, 1.0)).astype(np.float32)

    def __call__(self, frames: Float, f0: Float, brightness: Float, resonance: Float) -> Float:
        """Frames (B, K, M), f0 (B, K) Hz, dB an octave (B, K), -1..1 (B, K) -> frames (B, K, M)."""
        log_mel = frames * self._std + self._mean
        change = np.zeros_like(log_mel)
        if resonance.any():
            change += resonance[..., None] * (log_mel - _smoothed(log_mel))
        if brightness.any():
            pivot = np.log2(np.where(f0 > 0, f0, _UNPITCHED_PIVOT_HZ))
            above = np.maximum(self._octaves - pivot[..., None].astype(np.float32), 0)
            change += np.float32(_DB_TO_NEPERS) * brightness[..., None] * above
        audible = np.clip((log_mel - self._floor) / _FLOOR_NEPERS, 0, 1)
        change = np.clip(change, -_MOST_NEPERS, _MOST_NEPERS) * audible
        shaped = (np.maximum(log_mel + change, self._floor) - self._mean) / self._std
        # Where nothing changes the network's own frame stays to the bit, below the floor too.
        return np.where(change == 0, frames, shaped).astype(np.float32)


def _smoothed(log_mel: Float) -> Float:
    """Mean over neighbouring bands, the edges repeated."""
    half = _SMOOTHED_BANDS // 2
    padded = np.pad(log_mel, ((0, 0), (0, 0), (half + 1, half)), mode="edge")
    sums = np.cumsum(padded, -1, dtype=np.float64)
    return ((sums[..., _SMOOTHED_BANDS:] - sums[..., :-_SMOOTHED_BANDS]) / _SMOOTHED_BANDS).astype(np.float32)
