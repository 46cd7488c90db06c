"""Load of the effects, with continuous input."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

from cmaudio.bench.throughput import CHUNK_SAMPLES
from cmaudio.effects.rack import EffectsRack
from cmaudio.score.expression import SENDS
from cmaudio.signal.dsp import Float

SPACE_SECONDS = 3.0
_SECONDS, _PARTS = 2.0, 9


def measure_effects(sample_rate: int) -> dict[str, Any]:
    """Processor time of one thread over audio time, median over parts of two seconds.

    Keys: `together_load` of reverb, chorus and delay, `reverb_load`, `chorus_load`, `delay_load`, `idle_load` of a rack
    to which nothing is sent, `convolution_load` with an impulse response of `SPACE_SECONDS`.
    """
    loads = {"together_load": _load(sample_rate, SENDS), "idle_load": _load(sample_rate, ())}
    loads |= {f"{name}_load": _load(sample_rate, (name,)) for name in SENDS}
    return {**loads, "convolution_load": _load(sample_rate, ("reverb",), SPACE_SECONDS)}


def _load(sample_rate: int, sends: tuple[str, ...], space_seconds: float = 0.0) -> float:
    rack, rng = EffectsRack(sample_rate), np.random.default_rng(0)
    sent = {name: 0.1 * rng.standard_normal((CHUNK_SAMPLES, 2), dtype=np.float32) for name in sends}
    if space_seconds:
        from cmaudio.effects.convolution import Convolution

        rack.use_space(Convolution(_space(round(space_seconds * sample_rate), rng), sample_rate))
    main = np.zeros((CHUNK_SAMPLES, 2), np.float32)
    for _ in range(64):
        rack.process(main, sent)
    loads = []
    for _ in range(_PARTS):
        began_s = time.thread_time()
        for _ in range(round(_SECONDS * sample_rate) // CHUNK_SAMPLES):
            rack.process(main, sent)
            main[:] = 0
        loads.append((time.thread_time() - began_s) / _SECONDS)
    return statistics.median(loads)


def _space(samples: int, rng: np.random.Generator) -> Float:
    return rng.standard_normal((samples, 2), dtype=np.float32) / np.float32(np.sqrt(samples))
