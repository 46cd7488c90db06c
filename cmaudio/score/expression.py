"""Expressions: the controls of a sounding note besides pitch and timbre, and its position in the stereo mix.

Each is a number set for the instrument, the channel and the note; the three add up, and may change over time. Vibrato
modulates the pitch, pressure swells and brightens, brightness and resonance reshape the spectrum
(`cmaudio.synthesis.spectrum_shaping`). Humanity, attack, decay, sustain and release need a model with a prior: humanity
scales the sampled residual (`cmaudio.synthesis.prior`) and the deviation of pitch (`cmaudio.synthesis.deviation`), the
others form the envelope of a note (`cmaudio.synthesis.envelope`, which says why their times are octaves). Intensity to
size are inputs of the networks of textures (`cmaudio.synthesis.texture_features`). Level is a gain of notes and
channels only: the instrument has a master gain. Pan, width and spread position a note
(`cmaudio.synthesis.placement`), distance moves it away (`cmaudio.synthesis.distance`), and reverb, chorus and delay are
its effect sends: these belong to the stereo mix, and a reset keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError

VIBRATO_HZ = 5.5  # typical of singers and string players
_OCTAVES, _TIME = "octaves of time", "relative to the recording; an octave doubles it"
PRESSURE_DB, PRESSURE_BRIGHTNESS = 6.0, 1.5  # at full pressure: level in dB, brightness in dB per octave


@dataclass(frozen=True)
class Expression:
    """An expression with `unit`, `min` and `max` as displayed; at `rest` it leaves a note unchanged."""

    name: str
    unit: str
    min: float
    max: float
    description: str
    rest: float = 0.0
    mix: bool = False  # belongs to the stereo mix
    prior: bool = False  # has no effect on models without a prior
    learned: bool = False  # a network input: only for models that name it among their controls
    partial: bool = False  # only of notes and channels, not of the whole instrument


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
        Expression("attack", _OCTAVES, -4.0, 4.0, _TIME, prior=True),
        Expression(
            "decay", _OCTAVES, -4.0, 4.0, "relative to the recording; if shorter, held sounds fade too", prior=True
        ),
        Expression("sustain", "dB", -48.0, 12.0, "level after the attack", prior=True),
        Expression("release", _OCTAVES, -4.0, 4.0, _TIME, prior=True),
        *(
            Expression(name, "of typical to most", 0.0, 1.0, description, 0.5, learned=True)
            for name, description in (
                ("intensity", "strength of a texture; 0.5 is typical, as for the next five"),
                ("density", "events per second of a bed or rhythm, as far as it has any"),
                ("sharpness", "spectral centroid"),
                ("tonality", "from noise to tones"),
                ("roughness", "how much it flickers"),
                ("size", "of the sound source: larger is lower and slower"),
            )
        ),
        Expression("level", "dB", -48.0, 12.0, "level of a note or a channel", partial=True),
        Expression("pan", "of full", -1.0, 1.0, "from the left (-1) to the right (1)", mix=True),
        Expression("width", "of full", 0.0, 1.0, "stereo width of the noise of a sound; 0 is mono", 0.5, mix=True),
        Expression("spread", "of full", 0.0, 1.0, "spreads keyboards and drum kits from left to right", 0.5, mix=True),
        Expression("distance", "of far", 0.0, 1.0, "moves away: less direct sound, duller, more reverb", mix=True),
        Expression("reverb", "of full", 0.0, 1.0, "send level to the reverb", mix=True),
        Expression("chorus", "of full", 0.0, 1.0, "send level to the chorus", mix=True),
        Expression("delay", "of full", 0.0, 1.0, "send level to the delay", mix=True),
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


def combined(name: str, values: Iterable[float | None]) -> float:
    """Several settings of an expression (None: unset) combined and clamped to its range: offsets from rest add up."""
    known = EXPRESSIONS[name]
    total = known.rest + sum(value - known.rest for value in values if value is not None)
    return min(known.max, max(known.min, total))
