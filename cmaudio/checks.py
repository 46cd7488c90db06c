"""Checks of user input: an error names the value, what is allowed, and the unit."""

import numpy as np

from cmaudio.errors import CmaudioError

CHANNELS = 16


def in_range(name: str, value: float, low: float, high: float, unit: str) -> float:
    """`value` as a float if it is a number within [low, high]; raises CmaudioError otherwise (NaN included)."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not low <= value <= high:
        raise CmaudioError(f"{name} must be a number from {low:g} to {high:g} ({unit}), not {value!r}")
    return float(value)


def whole_number(name: str, value: int, low: int, high: int) -> int:
    """`value` if it is a whole number within [low, high]; raises CmaudioError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise CmaudioError(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    return int(value)


def channel_number(number: int) -> int:
    """A MIDI channel 0..15; raises CmaudioError otherwise."""
    return whole_number("channel", number, 0, CHANNELS - 1)
