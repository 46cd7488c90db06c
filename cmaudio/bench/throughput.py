"""Load of the synthesis: held voices read as a player reads them, and scores rendered offline."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

from cmaudio.bench.material import dense, held_timbres, live_engine, melody, start_held_notes
from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.offline.render import render

VOICES = (1, 8, 16)
CHUNK_SAMPLES = 256  # what the player reads at a time
_WARM_BLOCKS, _COLD_BLOCKS, _FIRST_BLOCKS = 60, 30, 4
_EVICTED_BYTES = 64 * 2**20
_MELODY_SECONDS, _DENSE_SECONDS = 60.0, 15.0


def measure_throughput(model: Model) -> dict[str, Any]:
    """Loads and render speeds; the engine uses one thread.

    Keys: `voices_1`, `voices_8`, `voices_16`, each with `warm_load`, `cold_load` (compute time over audio time, median
    over blocks, on an engine as `cmaudio.open` makes it, for notes started evenly over a block, which share evaluations
    only as far as the engine makes blocks ahead; cold: 64 MB of other memory are read between the reads),
    `warm_together_load`, `cold_together_load` (notes started at once, in one batch); `render_melody`, `render_dense`,
    each with `times_real_time` (of the whole call of `render`, including creating the engine; median of 3),
    `audio_seconds`, `took_seconds`; `stereo_ratio`, see `stereo_ratio`.
    """
    result: dict[str, Any] = {f"voices_{voices}": _loads(model, voices) for voices in VOICES}
    result["stereo_ratio"] = stereo_ratio(model, VOICES[-1])
    timbre = held_timbres(model)[0]
    for name, score in {"render_melody": melody(_MELODY_SECONDS), "render_dense": dense(_DENSE_SECONDS)}.items():
        runs = []
        for _ in range(3):
            before = time.perf_counter()
            samples = render(score, model=model, timbre=timbre, tail=0.5)
            runs.append((time.perf_counter() - before, len(samples) / model.manifest.sample_rate))
        took_s, audio_s = sorted(runs)[1]
        result[name] = {"times_real_time": audio_s / took_s, "audio_seconds": audio_s, "took_seconds": took_s}
    return result


def stereo_ratio(model: Model, voices: int) -> float:
    """Compute time of two channels over that of one, `voices` sounding: the median over blocks made in turn."""
    engines = [live_engine(model, voices, threads=1, channels=channels) for channels in (1, 2)]
    block_samples = model.manifest.block_frames * model.stft.hop_length
    for engine in engines:
        start_held_notes(engine, voices, block_samples)
        engine.read(_FIRST_BLOCKS * block_samples)
    ratios = []
    for _ in range(_WARM_BLOCKS):
        one, two = (_block_seconds(engine, block_samples) for engine in engines)
        ratios.append(two / one)
    return statistics.median(ratios)


def _block_seconds(engine: Engine, block_samples: int) -> float:
    before = time.thread_time()
    for _ in range(block_samples // CHUNK_SAMPLES):
        engine.read(CHUNK_SAMPLES)
    return time.thread_time() - before


def _loads(model: Model, voices: int) -> dict[str, float]:
    return {
        "warm_load": held_load(model, voices, together=False, cold=False),
        "cold_load": held_load(model, voices, together=False, cold=True),
        "warm_together_load": held_load(model, voices, together=True, cold=False),
        "cold_together_load": held_load(model, voices, together=True, cold=True),
    }


def held_load(model: Model, voices: int, *, together: bool, cold: bool, blocks: int | None = None) -> float:
    """Compute time over audio time of `voices` held notes: the median over blocks."""
    engine = live_engine(model, voices, threads=1)
    block_samples = model.manifest.block_frames * model.stft.hop_length
    start_held_notes(engine, voices, 0 if together else block_samples)
    engine.read(_FIRST_BLOCKS * block_samples)
    elsewhere = np.ones(_EVICTED_BYTES // 8 if cold else 0)
    loads = []
    for _ in range(blocks or (_COLD_BLOCKS if cold else _WARM_BLOCKS)):
        took_s = 0.0
        for _ in range(block_samples // CHUNK_SAMPLES):
            elsewhere.sum()
            before = time.perf_counter()
            engine.read(CHUNK_SAMPLES)
            took_s += time.perf_counter() - before
        loads.append(took_s * engine.sample_rate / block_samples)
    return statistics.median(loads)
