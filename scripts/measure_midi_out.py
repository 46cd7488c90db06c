"""Measure the timing of MIDI out: `python scripts/measure_midi_out.py`.

The embedded instrument plays a note on every quarter beat, on a simulated sound card, and sends notes and clock to a
port that records the times. Prints how much later each message is sent than the card takes the note's first sample, and
the jitter of the clock pulses.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from measure_link import Card

import cmaudio
from cmaudio.midi.system import OutputPort
from cmaudio.output.ring import Ring
from cmaudio.score.events import NoteOn
from cmaudio.score.messages import CLOCK, NOTE_ON

TEMPO = 125.0
SETTLE_SECONDS = 5.0


class Port:
    """A MIDI system with one output port, which records what is sent and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, int]] = []

    def outputs(self) -> list[OutputPort]:
        return [OutputPort("measured")]

    def open_output(self, port: OutputPort) -> Port:
        return self

    def open_virtual_output(self, name: str) -> Port:
        return self

    def send(self, data: bytes) -> None:
        self.sent.append((time.perf_counter(), data[0]))

    def close(self) -> None: ...

    def times(self, status: int) -> np.ndarray:
        return np.array([seconds for seconds, first in self.sent if first == status])


def play(seconds: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Lateness of notes and error of pulse intervals in seconds, after settling, and the number of underruns."""
    cards: list[Card] = []

    def open_card(ring: Ring, sample_rate: int, *_settings: Any) -> Card:
        cards.append(Card(ring, sample_rate, 0.0))
        return cards[-1]

    port, onsets = Port(), list[int]()
    with cmaudio.open(open_stream=open_card, on_notice=print) as synth:  # type: ignore[arg-type]
        synth.clock.tempo = TEMPO
        synth.recorder.subscribe(lambda at, event: onsets.append(at) if isinstance(event, NoteOn) else None)
        synth.midi_out("measured", system=port)
        synth.play([76], beat=1 / 4, gate=0.2, loop=True, timbre="woodblock")
        synth.wait(seconds)
        underruns = synth.state().player.counters.underruns
    taken = np.array(cards[0].taken)
    first = taken[0, 0] + SETTLE_SECONDS
    notes, pulses = port.times(NOTE_ON), port.times(CLOCK)
    expected = np.interp(np.array(onsets[: len(notes)]), taken[:, 1], taken[:, 0])
    late = notes[: len(expected)] - expected
    intervals = np.diff(pulses[pulses > first])
    return late[expected > first], intervals - 60 / TEMPO / 24, underruns


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="duration")
    late, off, underruns = play(parser.parse_args().seconds)
    figures: dict[str, Any] = {"underruns": underruns, "notes": len(late), "intervals": len(off)}
    for name, values in (("note_after_its_sample_ms", late), ("interval_of_pulses_off_ms", off)):
        figures[name] = dict(zip(("p1", "p50", "p99"), np.percentile(values, (1, 50, 99)).round(5) * 1000, strict=True))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
