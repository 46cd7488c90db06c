"""The MIDI input as pages show it: open ports, activity, bindings, and the control being learned."""

from __future__ import annotations

from typing import Any

from cmaudio.controls.binding import Binding
from cmaudio.synth import Synth


def midi_state(synth: Synth) -> dict[str, Any] | None:
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
    """The controller of a binding, in a few characters."""
    return f"CC {binding.controller}" if isinstance(binding.controller, int) else binding.controller
