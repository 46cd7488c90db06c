"""Latency from `note_on` to the first sample, on an engine without a device."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from cmaudio.bench.material import live_engine, send_to_effects, start_held_notes
from cmaudio.model.file import Model
from cmaudio.signal.limiter import QUANTUM_SAMPLES
from cmaudio.system import raise_thread_priority

TRIALS = 300
CHORD_NOTES = 8
COMPANY_VOICES = 4
_COMPANY_SAMPLES = (1024, 4096)


class LatencyTrials:
    """Starts notes of random pitch, velocity and timbre on one engine, with `effects` sent to all of them."""

    def __init__(self, model: Model, *, channels: int | None = None, effects: bool = False) -> None:
        self.engine = live_engine(model, channels=channels)
        self._effects = effects
        self._timbres = [timbre.name for timbre in model.manifest.timbres]
        self._random = np.random.default_rng(0)

    def trial(self, notes: int, company: int = 0) -> tuple[float, bool]:
        """Start `notes` at once while `company` others sound; (milliseconds, whether the onset is audible)."""
        self._fall_silent()
        if self._effects:
            send_to_effects(self.engine)
        if company:
            start_held_notes(self.engine, company, self.engine.model.stft.n_fft)
            low, high = _COMPANY_SAMPLES
            self._read(int(self._random.integers(low, high)))
        pitches = self._random.uniform(36, 96, notes).tolist()
        velocities = self._random.uniform(30, 127, notes).tolist()
        timbres = self._random.choice(self._timbres, notes).tolist()
        before = time.perf_counter()
        for pitch, velocity, timbre in zip(pitches, velocities, timbres, strict=True):
            self.engine.note_on(pitch, velocity, timbre=timbre)
        samples = self.engine.read(QUANTUM_SAMPLES + self.engine.latency_samples)
        took_s = time.perf_counter() - before
        return 1000 * took_s, bool(np.any(samples[self.engine.latency_samples :]))

    def _read(self, samples: int) -> None:
        # Whole quanta leave no remainder in the engine, so that the next read begins where its clock is.
        self.engine.read(-(-samples // QUANTUM_SAMPLES) * QUANTUM_SAMPLES)

    def _fall_silent(self) -> None:
        self.engine.panic()
        self._read(QUANTUM_SAMPLES)
        while not self.engine.idle:
            self._read(QUANTUM_SAMPLES)
        self._read(2 * self.engine.latency_samples)


def measure_latency(model: Model, trials: int = TRIALS) -> dict[str, Any]:
    """Milliseconds from `note_on` until the first onset sample has left the engine, on a thread like the player's.

    Keys: `trials` per case; `one_note`, `chord` (8 notes at once), `one_note_among_4`, `chord_among_4` (while 4 voices
    sound, whose blocks may be due in the same read), and in turn on three engines `one_note_of_one_channel`,
    `one_note_of_two_channels`, `one_note_with_effects` (reverb, chorus and delay); each with `p50_ms`, `p99_ms`,
    `max_ms` and `sounded` (share of trials whose first 64 samples are not all zero).
    """
    with ThreadPoolExecutor(1, initializer=raise_thread_priority) as player_thread:
        return player_thread.submit(_latencies, model, trials).result()


def _latencies(model: Model, trials: int) -> dict[str, Any]:
    bench = LatencyTrials(model)
    cases = {
        "one_note": (1, 0),
        "chord": (CHORD_NOTES, 0),
        "one_note_among_4": (1, COMPANY_VOICES),
        "chord_among_4": (CHORD_NOTES, COMPANY_VOICES),
    }
    result: dict[str, Any] = {"trials": trials}
    for name, (notes, company) in cases.items():
        for _ in range(5):
            bench.trial(notes, company)
        result[name] = _summary([bench.trial(notes, company) for _ in range(trials)])
    return result | _in_turn(model, trials)


def _in_turn(model: Model, trials: int) -> dict[str, Any]:
    """One note on engines that take turns, so that all have the same background load."""
    benches = {
        "one_note_of_one_channel": LatencyTrials(model, channels=1),
        "one_note_of_two_channels": LatencyTrials(model, channels=2),
        "one_note_with_effects": LatencyTrials(model, channels=2, effects=True),
    }
    turns = [{name: bench.trial(1) for name, bench in benches.items()} for _ in range(5 + trials)]
    return {name: _summary([turn[name] for turn in turns[5:]]) for name in benches}


def _summary(trials: Sequence[tuple[float, bool]]) -> dict[str, float]:
    took_ms, sounded = np.array([ms for ms, _ in trials]), np.array([audible for _, audible in trials])
    return {
        "p50_ms": float(np.percentile(took_ms, 50)),
        "p99_ms": float(np.percentile(took_ms, 99)),
        "max_ms": float(took_ms.max()),
        "sounded": float(sounded.mean()),
    }
