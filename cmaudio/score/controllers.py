"""The meaning of MIDI controllers, in both directions: controller numbers and values, expressions and gains.

Modulation (1) is vibrato; sound controllers 5 (74, brightness, the slide of MPE) and 2 (71, harmonic content) are
brightness and resonance; 3, 4, 6 and 10 (72, 73, 75, 79) are release, attack, decay and sustain; general purpose 5 (80)
is humanity: 64 is neutral for all of these. Channel and key pressure are pressure. Volume (7) and expression (11) set a
channel's gain. Pan (10), width and spread (general purpose 6 and 7: 81 and 82) position its notes; 91, 93 and 94 are
its sends to reverb, chorus and delay. Of the numbers that General MIDI leaves free, 102 to 107 are the controls of
textures, 108 is distance and 109 the level.
"""

from __future__ import annotations

from cmaudio.score.expression import EXPRESSIONS

BANK, MODULATION, DATA_COARSE, VOLUME, PAN, EXPRESSION_PEDAL, DATA_FINE = 0, 1, 6, 7, 10, 11, 38
SUSTAIN, SOSTENUTO = 64, 66
NRPN_FINE, NRPN_COARSE, RPN_FINE, RPN_COARSE = 98, 99, 100, 101
ALL_SOUND_OFF, RESET_ALL, LOCAL_CONTROL, ALL_NOTES_OFF = 120, 121, 122, 123  # 124 to 127 imply all notes off
BY_CONTROLLER = {
    **{MODULATION: "vibrato", 71: "resonance", 74: "brightness", 80: "humanity"},
    **{72: "release", 73: "attack", 75: "decay", 79: "sustain"},
    **{PAN: "pan", 81: "width", 82: "spread", 91: "reverb", 93: "chorus", 94: "delay"},
    **{102: "intensity", 103: "density", 104: "sharpness", 105: "tonality", 106: "roughness", 107: "size"},
    **{108: "distance", 109: "level"},
}
BY_EXPRESSION = {name: number for number, name in BY_CONTROLLER.items()}
WHEEL_CENTRE = 8192
_MIDDLE = 64


def expression_value(name: str, value: int) -> float:
    """The value of an expression for a controller value 0..127; expressions that go both ways rest at 64."""
    known = EXPRESSIONS[name]
    if known.min < known.rest:
        way = known.max - known.rest if value > _MIDDLE else known.rest - known.min
        return max(known.min, known.rest + (value - _MIDDLE) / (127 - _MIDDLE) * way)
    return value / 127 * known.max


def controller_value(name: str, value: float) -> int:
    """The controller value 0..127 nearest to an expression's value."""
    known = EXPRESSIONS[name]
    if known.min < known.rest:
        way = known.max - known.rest if value > known.rest else known.rest - known.min
        part = (value - known.rest) / way
        return max(0, min(127, round(_MIDDLE + part * (127 - _MIDDLE))))
    return max(0, min(127, round(value / known.max * 127)))


def controller_gain(volume: int, expression: int) -> float:
    """Linear gain of volume and expression, 0..127 each (General MIDI: 40 log10 of the value over 127, in dB)."""
    return (volume / 127) ** 2 * (expression / 127) ** 2


def wheel_position(low: int, high: int) -> float:
    """The two data bytes of a pitch wheel -> -1..1 in steps of 1/8192.

    The highest value, 8191 steps up, counts as 8192, so that both ends are reached and half a wheel is exactly a half.
    """
    steps = (high << 7 | low) - WHEEL_CENTRE
    return 1.0 if steps == WHEEL_CENTRE - 1 else steps / WHEEL_CENTRE


def wheel_value(position: float) -> int:
    """The steps -8192..8191 from the centre for a position -1..1; the inverse of `wheel_position`."""
    return max(-WHEEL_CENTRE, min(WHEEL_CENTRE - 1, round(position * WHEEL_CENTRE)))
