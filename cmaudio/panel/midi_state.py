"""The MIDI input as pages show it: open ports, whether anything arrives, what is bound and what is learnt."""

from __future__ import annotations

from typing import Any

from cmaudio.controls.binding import Binding
from cmaudio.panel.instrument import PanelInstrument


def midi_state(synth: PanelInstrument) -> dict[str, Any] | None:
    """None without an input. `received` counts messages, without those of a clock."""
    midi = synth.midi
    if midi is None:
        return None
    return {
        "ports": midi.ports,
        "received": midi.received,
        "learning": midi.bindings.learning,
        "bound": {binding.control: short_name(binding) for binding in midi.bindings},
    }


def short_name(binding: Binding) -> str:
    """What a control is bound to, in a few letters."""
    return f"CC {binding.controller}" if isinstance(binding.controller, int) else binding.controller
