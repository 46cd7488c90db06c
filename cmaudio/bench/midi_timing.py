"""Latency of a MIDI note from its arrival to its first sample, and the jitter of its onset.

Measured in a separate process on a JACK dummy server: `python -m cmaudio.bench.midi_timing '<Playing as JSON>'`. Its
last line of output is the result. Notes arrive through the benchmark's own MIDI system, so drivers are not included.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import cmaudio
from cmaudio.bench.jack import PERIOD_SAMPLES, SAMPLE_RATE, jack_server, may_be_realtime, what_is_missing
from cmaudio.bench.material import start_held_notes
from cmaudio.midi.bindings import Bindings
from cmaudio.midi.system import InputPort, OpenPort, Receive
from cmaudio.model.file import Model
from cmaudio.output.player import LEAD_MS
from cmaudio.score.events import Event, NoteOn
from cmaudio.signal.dsp import Float
from cmaudio.synth import Synth

NOTES = 200
VOICES = 4
_SETTLE_S = 2.0
_CHANNEL = 15  # of the notes that are measured
_LOWEST, _KEYS = 40, 48
_APART_S = (0.08, 0.22)
_HELD_S = 0.06


@dataclass(frozen=True)
class Playing:
    """Play `notes` one after another while `voices` sound."""

    model: str
    notes: int
    voices: int
    lead_ms: float


class OnePort:
    """A MIDI system with one port, which the benchmark plays."""

    def __init__(self) -> None:
        self.play: Receive = lambda _data: None

    def inputs(self) -> list[InputPort]:
        return [InputPort("benchmark")]

    def open(self, _port: InputPort, receive: Receive) -> OpenPort:
        self.play = receive
        return self

    def open_virtual(self, _name: str, receive: Receive) -> OpenPort:
        return self.open(InputPort("benchmark"), receive)

    def close(self) -> None: ...


class TimingProbe:
    """Records when samples were made, and at which sample the measured notes begin."""

    def __init__(self, synth: Synth) -> None:
        self.made: list[tuple[int, float]] = []  # samples by then, seconds
        self.onsets: dict[int, list[int]] = {}  # by key
        self._read = synth.recorder.read
        self._recorder, self._latency = synth.recorder, synth.engine.latency_samples
        synth.recorder.read = self.read  # type: ignore[method-assign]
        synth.engine.allocator.listeners.subscribe(self.on_event)

    def read(self, samples: int) -> Float:
        out = self._read(samples)
        self.made.append((self._recorder.made_samples, time.perf_counter()))
        return out

    def on_event(self, at: int, event: Event) -> None:
        if isinstance(event, NoteOn) and event.channel == _CHANNEL:
            self.onsets.setdefault(event.pitch, []).append(at + self._latency)

    def made_at(self, sample: int) -> float | None:
        """When a sample was written to the ring, right after it was read from the engine."""
        place = bisect_right(self.made, sample, key=lambda made: made[0])
        return self.made[place][1] if place < len(self.made) else None


def measure_performing(
    model: Model, on_progress: Callable[[str], None] = lambda _text: None, notes: int = NOTES
) -> dict[str, Any]:
    """Milliseconds from a MIDI note's time stamp until its first sample is in the ring, and the jitter of its onset.

    Keys: `realtime`, `sample_rate`, `period_samples`, `lead_ms`, `voices` sounding meanwhile, `notes`, how many were
    `lost`; `ring` with `p50_ms`, `p99_ms`, `max_ms` until the synthesis thread wrote the onset; `jitter_ms`, the
    standard deviation of the onset's sample against the time stamp, less a straight line (the constant delay, and the
    drift between the clocks of sound card and computer); `underruns`.
    Or `skipped`: the reason why nothing was measured.
    """
    missing = what_is_missing()
    if missing is not None:
        return {"skipped": missing}
    realtime = may_be_realtime()
    on_progress(f"performing: {notes} notes while {VOICES} voices sound")
    wanted = Playing(str(model.path.resolve()), notes, VOICES, LEAD_MS)
    try:
        with jack_server(realtime) as server:
            command = [sys.executable, "-m", "cmaudio.bench.midi_timing", json.dumps(asdict(wanted))]
            limit_s = 60 + notes * _APART_S[1]
            done = subprocess.run(
                command, env=server.environment, capture_output=True, text=True, timeout=limit_s, check=False
            )
    except TimeoutError as error:
        return {"skipped": str(error)}
    if done.returncode:
        raise RuntimeError(f"the playing process failed: {done.stderr[-2000:]}")
    setting = {"realtime": realtime, "sample_rate": SAMPLE_RATE, "period_samples": PERIOD_SAMPLES}
    return {**setting, **json.loads(done.stdout.splitlines()[-1])}


def perform(wanted: Playing) -> dict[str, Any]:
    """Play on the default device of this process's environment, and measure."""
    system = OnePort()
    with cmaudio.open(wanted.model, lead_ms=wanted.lead_ms) as synth:
        probe = TimingProbe(synth)
        synth.connect_midi(system=system, bindings=Bindings())
        held = start_held_notes(synth.engine, wanted.voices)
        time.sleep(_SETTLE_S)
        stamps = _play(system, wanted, synth, held)
        time.sleep(0.5)
        underruns = synth.state().player.counters.underruns
    return {**asdict(wanted), **timing_metrics(probe, stamps, synth.engine.sample_rate), "underruns": underruns}


def _play(system: OnePort, wanted: Playing, synth: Synth, held: list[Any]) -> list[tuple[int, float]]:
    """Press and release keys at random times; returns each key with its time."""
    random = np.random.default_rng(0)
    stamps = []
    for i in range(wanted.notes):
        held = [note for note in held if not note.ended]
        held += start_held_notes(synth.engine, wanted.voices - len(held))
        key = _LOWEST + i % _KEYS
        stamps.append((key, time.perf_counter()))
        system.play(bytes((0x90 | _CHANNEL, key, 90)))
        time.sleep(_HELD_S)
        system.play(bytes((0x80 | _CHANNEL, key, 0)))
        time.sleep(float(random.uniform(*_APART_S)) - _HELD_S)
    return stamps


def timing_metrics(probe: TimingProbe, stamps: Sequence[tuple[int, float]], sample_rate: int) -> dict[str, Any]:
    """The metrics of `measure_performing` for notes given as (key, `time.perf_counter`)."""
    took_ms, pairs = [], []
    for key, stamp in stamps:
        onset = probe.onsets[key].pop(0) if probe.onsets.get(key) else None
        made = None if onset is None else probe.made_at(onset)
        if onset is not None and made is not None:
            took_ms.append(1000 * (made - stamp))
            pairs.append((stamp, onset / sample_rate))
    if len(pairs) < 3:
        raise RuntimeError(f"only {len(pairs)} of {len(stamps)} notes sounded, too few to measure")
    times, onsets = np.array(pairs).T
    line = np.polyval(np.polyfit(times - times[0], onsets, 1), times - times[0])
    p50, p99 = np.percentile(took_ms, (50, 99)).tolist()
    return {
        "lost": len(stamps) - len(pairs),
        "ring": {"p50_ms": p50, "p99_ms": p99, "max_ms": max(took_ms)},
        "jitter_ms": 1000 * float(np.std(onsets - line)),
    }


if __name__ == "__main__":
    print(json.dumps(perform(Playing(**json.loads(sys.argv[1])))), flush=True)
