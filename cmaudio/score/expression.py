"""What shapes a sounding note beside its pitch and timbre: vibrato, pressure, brightness, resonance, humanity.

Each is a number that the instrument, the channel and the note have; they add up, and move over time. Vibrato moves the
pitch, pressure swells and brightens, brightness and resonance reshape the spectrum
(`cmaudio.synthesis.spectrum_shaping`). Humanity is for models with a prior: how much of what the network draws is heard
(`cmaudio.synthesis.prior`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError

VIBRATO_HZ = 5.5  # about what singers and string players do
PRESSURE_DB, PRESSURE_BRIGHTNESS = 6.0, 1.5  # at full pressure: level in dB, brightness in dB per octave


@dataclass(frozen=True)
class Expression:
    """One of them: `unit`, `min` and `max` as a player meets it; at `rest` a note is as it was played."""

    name: str
    unit: str
    min: float
    max: float
    description: str
    rest: float = 0.0


EXPRESSIONS: Mapping[str, Expression] = {
    e.name: e
    for e in (
        Expression("vibrato", "semitones", 0.0, 1.0, f"depth of a vibrato of {VIBRATO_HZ:g} Hz"),
        Expression("pressure", "of full", 0.0, 1.0, f"swells by up to {PRESSURE_DB:g} dB, and brightens"),
        Expression("brightness", "dB per octave", -6.0, 6.0, "tilts the spectrum above the pitch"),
        Expression("resonance", "of full", -1.0, 1.0, "sharpens the peaks of the spectrum, or smooths them"),
        Expression("humanity", "of recorded", 0.0, 2.0, "life of a note; 0 is what its recordings agree on", rest=1.0),
    )
}


def checked_expression(name: str, value: float) -> float:
    """`value` if it is one for this expression. Raises CmaudioError for an unknown name or a value out of range."""
    known = EXPRESSIONS.get(name)
    if known is None:
        raise CmaudioError(f"no expression {name!r}; there are {', '.join(EXPRESSIONS)}")
    return in_range(name, value, known.min, known.max, known.unit)


def together(name: str, values: Iterable[float | None]) -> float:
    """What several ask of an expression (None: nothing), within its range: how far each is from rest adds up."""
    known = EXPRESSIONS[name]
    total = known.rest + sum(value - known.rest for value in values if value is not None)
    return min(known.max, max(known.min, total))
