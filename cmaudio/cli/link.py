"""Joining a session of Ableton Link, as `play`, `live` and `panel` do."""

from __future__ import annotations

from cmaudio.cli.terminal import console
from cmaudio.synth import Synth

DELAY_SECONDS = 0.2  # until a piece begins
_LOOK_SECONDS = 1.0  # in which peers are found
_BAR_BEATS = 4.0


def join_link(synth: Synth) -> None:
    """Join, look for peers, and print what was found. Raises CmaudioError if the package is missing."""
    link = synth.connect_link()
    synth.wait(_LOOK_SECONDS)
    console.print(f"Ableton Link: {link.peers} peers, {link.tempo:.1f} beats per minute")


def seconds_to_bar(synth: Synth) -> float:
    """How long it is to the next bar that leaves time to begin."""
    clock, rate = synth.clock, synth.engine.sample_rate
    with clock.lock:
        soon = synth.engine.now + round(DELAY_SECONDS * rate)
        bar = -(-clock.map.beat_at(soon) // _BAR_BEATS) * _BAR_BEATS
        return (clock.sample(bar) - synth.engine.now) / rate
