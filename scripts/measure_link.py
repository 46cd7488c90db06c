"""Measure synchronisation with a second program on Ableton Link: `python scripts/measure_link.py`.

The embedded instrument plays a note on every beat, on a simulated sound card whose clock is fast by 40 parts per
million. A second process is its peer; the two change the tempo in turn, every two minutes. For each note, the time at
which the card takes its first sample is compared with the peer's beat. Needs cmaudio[link].
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import cmaudio
from cmaudio.output.callback import output_callback
from cmaudio.output.ring import Ring
from cmaudio.score.events import NoteOn
from cmaudio.system import raise_thread_priority
from cmaudio.timing.link_session import NetworkSession

PERIOD_SAMPLES = 128
TEMPOS = (120.0, 97.0, 133.3, 174.0, 111.1)
SETTLE_SECONDS = 10.0  # excluded at the start and after every change of tempo
LIMIT_MS = 1.0
FEWEST_NOTES = 20  # minutes with fewer are ignored


class Card:
    """An open stream whose clock is fast by `ppm`.

    Attributes:
        taken: times of `time.perf_counter`, and how many samples were played by then.
    """

    def __init__(self, ring: Ring, sample_rate: int, ppm: float) -> None:
        self.sample_rate, self.device_name, self.replaceable = sample_rate, "clock", False
        self._ring, self._period_s = ring, PERIOD_SAMPLES / sample_rate / (1 + ppm * 1e-6)
        ring.channels, ring.first_output = ring.source_channels, 0
        self.taken: list[tuple[float, int]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        output_callback()

    @property
    def active(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def abandon(self) -> bool:
        return False

    def _run(self) -> None:
        raise_thread_priority()
        due = time.perf_counter()
        while not self._ending.is_set():
            self.taken.append((due, self._ring.counters().played_samples))
            output_callback().drive(self._ring, PERIOD_SAMPLES)
            due += self._period_s
            time.sleep(max(0.0, due - time.perf_counter()))


def be_peer() -> None:
    """The second process: prints times and beats, and reads tempos."""
    session = NetworkSession(TEMPOS[0], 4.0, True)

    def listen() -> None:
        for line in sys.stdin:
            session.set_tempo(float(line), time.perf_counter())

    threading.Thread(target=listen, daemon=True).start()
    while True:
        state, now = session.state(), time.perf_counter()
        print(json.dumps([now, state.beat_at(now), state.tempo, state.peers]), flush=True)
        time.sleep(0.1)


def play(minutes: float, ppm: float) -> dict[str, Any]:
    """Play against a peer; returns the times of the beats on both sides, and of the changes of tempo."""
    cards: list[Card] = []

    def open_card(ring: Ring, sample_rate: int, *_settings: Any) -> Card:
        cards.append(Card(ring, sample_rate, ppm))
        return cards[-1]

    command = [sys.executable, __file__, "--peer"]
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert peer.stdin is not None
    assert peer.stdout is not None
    reports: list[list[float]] = []
    reader = threading.Thread(target=lambda lines: reports.extend(map(json.loads, lines)), args=(peer.stdout,))
    reader.start()
    began, notes, changes = time.perf_counter(), list[int](), list[float]()
    try:
        with cmaudio.open(open_stream=open_card, on_notice=print) as synth:  # type: ignore[arg-type]
            synth.recorder.subscribe(lambda at, event: notes.append(at) if isinstance(event, NoteOn) else None)
            link = synth.connect_link()
            synth.play([76], gate=0.1, loop=True, timbre="woodblock")
            changes.append(time.perf_counter())
            for turn in range(max(1, round(minutes / 2))):
                if turn and turn % 2:
                    synth.clock.tempo = TEMPOS[turn % len(TEMPOS)]
                elif turn:
                    print(TEMPOS[turn % len(TEMPOS)], file=peer.stdin, flush=True)
                changes.append(time.perf_counter())
                synth.wait(minutes * 60 / max(1, round(minutes / 2)))
                print(f"{(time.perf_counter() - began) / 60:.1f} min, {link.peers} peer, {link.tempo:.2f}", flush=True)
            underruns = synth.state().player.counters.underruns
    finally:
        peer.terminate()
        peer.wait()
        reader.join()
    return {"notes": notes, "taken": cards[0].taken, "peer": reports, "changes": changes, "underruns": underruns}


def late_ms(played: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """For each note: seconds since the start, and milliseconds after the peer's beat."""
    taken, peer = np.array(played["taken"]), np.array(played["peer"])
    # A period is played from the time at which it is taken, at an even pace.
    heard = np.interp(np.array(sorted(played["notes"])), taken[:, 1], taken[:, 0])
    calm = np.ones(len(heard), bool)
    for change in played["changes"]:
        calm &= (heard < change) | (heard > change + SETTLE_SECONDS)
    heard = heard[calm & (heard < peer[-1, 0])]
    beats = np.interp(heard, peer[:, 0], peer[:, 1])
    tempos = peer[np.searchsorted(peer[:, 0], heard) - 1, 2]
    return heard - played["changes"][0], (beats - np.round(beats)) * 60_000 / tempos


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="duration")
    parser.add_argument("--ppm", type=float, default=40.0, help="error of the sound card's clock; positive: fast")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--output", "-o", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    if options.peer:
        be_peer()
        return
    played = play(options.minutes, options.ppm)
    seconds, late = late_ms(played)
    print("delay in ms\nminute  notes  median   5 %    95 %")
    medians = []
    for minute in range(int(seconds.max() // 60) + 1):
        part = late[(seconds >= 60 * minute) & (seconds < 60 * (minute + 1))]
        if len(part) >= FEWEST_NOTES:
            low, middle, high = np.percentile(part, (5, 50, 95))
            medians.append(middle)
            print(f"{minute + 1:6d} {len(part):6d} {middle:7.3f} {low:7.3f} {high:7.3f}")
    slope = np.polyfit(seconds, late, 1)[0] * 600
    drift = max(medians) - min(medians)
    print(f"drift: {drift:.3f} ms between minutes, {slope:+.3f} ms in ten minutes; {played['underruns']} underruns")
    print(f"largest deviation of a note from the median: {np.abs(late - np.median(late)).max():.3f} ms")
    if options.output:
        figures = {"drift_ms": drift, "slope_ms_in_ten_minutes": slope, "notes": len(late), "medians_ms": medians}
        options.output.write_text(json.dumps(figures, indent=1))
    sys.exit(int(drift > LIMIT_MS))


if __name__ == "__main__":
    main()
