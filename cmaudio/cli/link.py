"""Joining an Ableton Link session, for `play`, `live` and `panel`."""

from __future__ import annotations

from cmaudio.cli.terminal import console
from cmaudio.synth import Synth

DELAY_SECONDS = 0.2  # before a piece starts
_LOOK_SECONDS = 1.0  # to discover peers
_BAR_BEATS = 4.0


def join_link(synth: Synth) -> None:
    """Join, discover peers, and print the session. Raises CmaudioError if the package is missing."""
    link = synth.connect_link()
    synth.wait(_LOOK_SECONDS)
    console.print(f"Ableton Link: {link.peers} peers, {link.tempo:.1f} beats per minute")


def seconds_to_bar(synth: Synth) -> float:
    """Seconds to the first bar that is at least `DELAY_SECONDS` away."""
    clock, rate = synth.clock, synth.engine.sample_rate
    with clock.lock:
        soon = synth.engine.now + round(DELAY_SECONDS * rate)
        bar = -(-clock.map.beat_at(soon) // _BAR_BEATS) * _BAR_BEATS
        return (clock.sample(bar) - synth.engine.now) / rate
