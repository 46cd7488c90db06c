"""English units of measurement: prefixes, powers, and what is counted per what."""

from __future__ import annotations

import re

_PREFIXES = {
    "k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "h": "hecto", "d": "deci", "c": "centi",
    "m": "milli", "µ": "micro", "μ": "micro", "u": "micro", "n": "nano",
}  # fmt: skip
_METRIC = {  # and the prefixes that are written with it
    "m": ("meter", "kdcmµμn"), "g": ("gram", "kmµμn"), "s": ("second", "mµμun"), "l": ("liter", "hdcmµμ"),
    "L": ("liter", "hdcmµμ"), "A": ("amp", "kmµμ"), "V": ("volt", "kmµμM"), "W": ("watt", "kmMGT"),
    "Wh": ("watt hour", "kMGT"), "Hz": ("hertz", "kMGT"), "B": ("byte", "kKMGT"), "b": ("bit", "kMG"),
    "bit": ("bit", "kMG"), "bps": ("bit per second", "kMG"), "Pa": ("pascal", "hkM"), "J": ("joule", "kM"),
    "N": ("newton", "km"), "Ω": ("ohm", "kM"), "eV": ("electron volt", "kMG"), "F": ("farad", "µμn"),
    "cal": ("calorie", "k"), "mol": ("mole", "m"),
}  # fmt: skip
_OTHERS = {
    "mi": "mile", "yd": "yard", "yds": "yard", "ft": "foot", "lb": "pound", "lbs": "pound", "oz": "ounce",
    "qt": "quart", "pt": "point", "pt.": "pint", "mpg": "mile per gallon", "m.p.h": "mile per hour",
    "k.p.h": "kilometer per hour", "r.p.m": "R P M",
    "tsp": "teaspoon", "tbsp": "tablespoon", "gal": "gallon", "mph": "mile per hour", "kph": "kilometer per hour",
    "kmh": "kilometer per hour", "hp": "horsepower", "ha": "hectare", "h": "hour", "hr": "hour", "hrs": "hour",
    "min": "minute", "mins": "minute", "sec": "second", "secs": "second", "yr": "year", "yrs": "year", "wk": "week",
    "wks": "week", "rpm": "R P M", "psi": "P S I", "dpi": "D P I", "fps": "frame per second", "bpm": "beat per minute",
    "ppm": "part per million", "px": "pixel", "dB": "decibel", "dBA": "decibel A", "dBFS": "D B F S", "LUFS": "lufs",
    "°C": "degree Celsius", "° C": "degree Celsius", "°F": "degree Fahrenheit", "° F": "degree Fahrenheit",
    "°": "degree", "¢": "cent", "%": "percent", "‰": "per mille",
}  # fmt: skip
_LETTERS = frozenset("bBFJN")  # alone they are letters: 221B
_ALIKE = ("hertz", "horsepower", "R", "P", "D", "lufs", "percent", "per")  # one or many
_POWERS = {"²": "square", "2": "square", "^2": "square", "³": "cubic", "3": "cubic", "^3": "cubic"}

_ONE = _OTHERS | {
    prefix + unit: (_PREFIXES[prefix] if prefix else "") + name
    for unit, (name, prefixes) in _METRIC.items()
    for prefix in ("", *prefixes)
    if prefix + unit not in _OTHERS.keys() | _LETTERS
}
_NAMES = "|".join(sorted(map(re.escape, _ONE), key=len, reverse=True))
UNIT = (
    rf"(?P<unit>{_NAMES})(?P<power>[²³]|\^[23]|(?<=m)[23])?(?:/(?P<per>{_NAMES}|day|week|month|year)(?P<below>[²³2])?)?"
)


def unit_name(written: str) -> str | None:
    """The unit of an abbreviation, e.g. "mile"; "inch" also. None for anything else."""
    return "inch" if written == "in" else _ONE.get(written)


def unit_in_words(match: re.Match[str], many: bool) -> str:
    """The unit of a match of `UNIT`."""
    name = _ONE[match["unit"]]
    name = _many(name) if many else name
    if match["power"]:
        name = f"{_POWERS[match['power']]} {name}"
    if not match["per"]:
        return name
    below = _ONE.get(match["per"], match["per"])
    if match["below"]:
        below = f"{below} squared" if below == "second" else f"{_POWERS[match['below']]} {below}"
    return f"{name} per {below}"


def _many(name: str) -> str:
    first, space, rest = name.partition(" ")
    if first.endswith(_ALIKE):
        return name
    if name == "watt hour" or name.endswith(("watt hour", "electron volt")):
        return f"{name}s"
    return f"{'feet' if first == 'foot' else first + 's'}{space}{rest}"
