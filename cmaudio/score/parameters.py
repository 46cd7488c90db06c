"""Registered parameters: the controllers that choose one (RPN 100, 101) and set it (data entry 6, 38).

Number 0 is the bend range, 1 and 2 fine and coarse tuning (MIDI 1.0 Detailed Specification 4.2), 6 the MPE
Configuration Message. Choosing a non-registered parameter (98, 99) leaves none chosen, and its data are ignored.
"""

from __future__ import annotations

from typing import Literal

from cmaudio.score import controllers as cc
from cmaudio.score.channel_state import NO_PARAMETER, ChannelState

Outcome = Literal["chosen", "bend range", "tuning", "zone", "unknown", "nothing"]
_BEND_RANGE, _FINE_TUNING, _COARSE_TUNING, _MPE_CONFIGURATION = (0, 0), (0, 1), (0, 2), (0, 6)
_MOST_CENTS = 99


def set_parameter(state: ChannelState, number: int, value: int, bend_range: float) -> Outcome:
    """Process one of these controllers.

    Args:
        state: state of the channel, changed in place.
        number: controller number.
        value: 0..127.
        bend_range: default in semitones, until the channel sets one.

    Returns:
        What was changed; "zone" changes nothing here: `value` is the requested number of members.
    """
    coarse, fine = state.parameter
    if number in (cc.NRPN_FINE, cc.NRPN_COARSE):
        state.parameter = NO_PARAMETER
    elif number == cc.RPN_COARSE:
        state.parameter = (value, fine)
    elif number == cc.RPN_FINE:
        state.parameter = (coarse, value)
    else:
        return _set_value(state, number == cc.DATA_COARSE, value, bend_range)
    return "chosen"


def _set_value(state: ChannelState, is_coarse: bool, value: int, bend_range: float) -> Outcome:
    """Apply data entry to the selected parameter."""
    if state.parameter == _BEND_RANGE:
        semitones, cents = state.bend_range or (int(bend_range), round(bend_range % 1 * 100))
        state.bend_range = (value, cents) if is_coarse else (semitones, min(value, _MOST_CENTS))
        return "bend range"
    if state.parameter == _FINE_TUNING:
        coarse, fine = state.fine_tuning
        state.fine_tuning = (value, fine) if is_coarse else (coarse, value)
        return "tuning"
    if state.parameter == _COARSE_TUNING:
        if is_coarse:
            state.coarse_tuning = value - 64
        return "tuning"
    if state.parameter == _MPE_CONFIGURATION:
        return "zone" if is_coarse else "nothing"
    return "nothing" if state.parameter == NO_PARAMETER else "unknown"
