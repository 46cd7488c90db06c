"""What MIDI controllers do to notes: the controller's number and the expression that it moves, in both directions.

Modulation (1) is vibrato, sound controllers 5 (74, brightness, the slide of MPE) and 2 (71, harmonic content) are
brightness and resonance around their middle, channel and key pressure is pressure. Volume (7) and expression (11) are a
channel's gain. Pan (10) has no effect: the sound is mono.
"""

from __future__ import annotations

from cmaudio.score.expression import EXPRESSIONS

MODULATION, VOLUME, EXPRESSION_PEDAL, SUSTAIN, SOSTENUTO = 1, 7, 11, 64, 66
BY_CONTROLLER = {MODULATION: "vibrato", 71: "resonance", 74: "brightness"}
BY_EXPRESSION = {name: number for number, name in BY_CONTROLLER.items()}
_MIDDLE = 64


def expression_value(name: str, value: int) -> float:
    """What a controller value 0..127 asks of an expression; those that go both ways rest at 64."""
    known = EXPRESSIONS[name]
    if known.min < 0:
        return max(known.min, (value - _MIDDLE) / (127 - _MIDDLE) * known.max)
    return value / 127 * known.max


def controller_value(name: str, value: float) -> int:
    """The controller value 0..127 that comes nearest to an expression's value."""
    known = EXPRESSIONS[name]
    if known.min < 0:
        return max(0, min(127, round(_MIDDLE + value / known.max * (127 - _MIDDLE))))
    return max(0, min(127, round(value / known.max * 127)))


def controller_gain(volume: int, expression: int) -> float:
    """Linear gain of volume and expression, 0..127 each (General MIDI: 40 log10 of the value over 127, in dB)."""
    return (volume / 127) ** 2 * (expression / 127) ** 2
