"""Expressions, which shape a sounding note beyond pitch and timbre, and place it between two channels.

Each is a number set for the instrument, the channel and the note; the three add up, and change over time. Vibrato moves
the pitch, pressure swells and brightens, brightness and resonance reshape the spectrum
(`cmaudio.synthesis.spectrum_shaping`). Humanity, attack, decay, sustain and release are for models with a prior:
humanity scales the network's random part (`cmaudio.synthesis.prior`) and how far the pitch deviates
(`cmaudio.synthesis.deviation`), the others are the envelope of a note
(`cmaudio.synthesis.envelope`, which says why their times are octaves). From intensity to size they are inputs of the
networks of textures (`cmaudio.synthesis.texture_features`). Level is a gain of notes and channels alone: the instrument
has a master gain. Pan, width and spread place a note (`cmaudio.synthesis.placement`), distance moves it away
(`cmaudio.synthesis.distance`), and reverb, chorus and delay are what it sends to the effects: these belong to the mix
of two channels, and a reset keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError

VIBRATO_HZ = 5.5  # typical of singers and string players
_OCTAVES = "octaves of time"
PRESSURE_DB, PRESSURE_BRIGHTNESS = 6.0, 1.5  # at full pressure: level in dB, brightness in dB per octave


@dataclass(frozen=True)
class Expression:
    """An expression with the `unit`, `min` and `max` that players see; at `rest` it leaves a note unchanged."""

    name: str
    unit: str
    min: float
    max: float
    description: str
    rest: float = 0.0
    mix: bool = False  # belongs to the mix of two channels
    prior: bool = False  # has no effect on models without a prior
    learned: bool = False  # an input of the networks: of models that name it among their controls
    partial: bool = False  # of notes and channels, and no control of the whole instrument


EXPRESSIONS: Mapping[str, Expression] = {
    e.name: e
    for e in (
        Expression("vibrato", "semitones", 0.0, 1.0, f"depth of a vibrato of {VIBRATO_HZ:g} Hz"),
        Expression("pressure", "of full", 0.0, 1.0, f"swells by up to {PRESSURE_DB:g} dB, and brightens"),
        Expression("brightness", "dB per octave", -6.0, 6.0, "tilts the spectrum above the pitch"),
        Expression("resonance", "of full", -1.0, 1.0, "sharpens the peaks of the spectrum, or smooths them"),
        Expression(
            "humanity",
            "of recorded",
            0.0,
            2.0,
            "natural variation; 0 plays the typical note",
            rest=1.0,
            prior=True,
        ),
        Expression("attack", _OCTAVES, -4.0, 4.0, "of the recorded attack: 1 is twice as long, -1 half", prior=True),
        Expression("decay", _OCTAVES, -4.0, 4.0, "of the recorded decay; below 0 held sounds fade too", prior=True),
        Expression("sustain", "dB", -48.0, 12.0, "level of what follows the attack", prior=True),
        Expression("release", _OCTAVES, -4.0, 4.0, "of the recorded release: 1 is twice as long, -1 half", prior=True),
        *(
            Expression(name, "of typical to most", 0.0, 1.0, description, 0.5, learned=True)
            for name, description in (
                ("intensity", "how strongly a texture sounds; 0.5 is typical of it, as for the next five"),
                ("density", "how many events a second it has"),
                ("sharpness", "how high the weight of its spectrum lies"),
                ("tonality", "from noise to tones"),
                ("roughness", "how much it flickers"),
                ("size", "of what sounds: larger is lower and slower"),
            )
        ),
        Expression("level", "dB", -48.0, 12.0, "level of a note or a channel", partial=True),
        Expression("pan", "of full", -1.0, 1.0, "from the left (-1) to the right (1)", mix=True),
        Expression("width", "of full", 0.0, 1.0, "how far the noise of a sound spreads; 0 is mono", 0.5, mix=True),
        Expression("spread", "of full", 0.0, 1.0, "spreads keyboards and drum kits over the sides", 0.5, mix=True),
        Expression("distance", "of far", 0.0, 1.0, "away: less direct, duller, more of the room", mix=True),
        Expression("reverb", "of full", 0.0, 1.0, "level sent to the reverb", mix=True),
        Expression("chorus", "of full", 0.0, 1.0, "level sent to the chorus", mix=True),
        Expression("delay", "of full", 0.0, 1.0, "level sent to the delay", mix=True),
    )
}
SENDS = ("reverb", "chorus", "delay")
MIX = tuple(e.name for e in EXPRESSIONS.values() if e.mix)
ENVELOPE = ("attack", "decay", "sustain", "release")


def checked_expression(name: str, value: float) -> float:
    """`value` if it is valid for this expression. Raises CmaudioError for an unknown name or a value out of range."""
    known = EXPRESSIONS.get(name)
    if known is None:
        raise CmaudioError(f"no expression {name!r}; available: {', '.join(EXPRESSIONS)}")
    return in_range(name, value, known.min, known.max, known.unit)


def together(name: str, values: Iterable[float | None]) -> float:
    """Several settings of an expression (None: unset) combined within its range: their offsets from rest add up."""
    known = EXPRESSIONS[name]
    total = known.rest + sum(value - known.rest for value in values if value is not None)
    return min(known.max, max(known.min, total))
