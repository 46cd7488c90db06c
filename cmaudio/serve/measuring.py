"""Measures the cost of a model on this machine, with all threads at once, as in operation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from cmaudio.engine.engine import Engine
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.serve.capacity import Cost
from cmaudio.serve.choice import MOST_VOICES

_ROUNDS = 6
_TEXT = "1 2 3 4 5 6 7 8 9 10"  # can be spoken in any language


def measure(loaded: LoadedModel, workers: int) -> Cost:
    """The cost of a model; takes about a second."""
    Engine(loaded).warm_up()
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(lambda _: _measured(loaded), range(workers)))
    one, full, beginning = (median(times) for times in zip(*found, strict=True))
    voice = max(0.0, full - one) / (MOST_VOICES - 1)
    manifest = loaded.model.manifest
    return Cost(max(one - voice, 1e-6), voice, beginning, manifest.block_samples / manifest.sample_rate)


def _measured(loaded: LoadedModel) -> tuple[float, float, float]:
    """Seconds of an evaluation of one voice, of a full one, and of the start of a stream."""
    beginnings, engines = [], []
    for _ in range(MOST_VOICES):
        started = time.perf_counter()
        engines.append(_playing(loaded))
        while engines[-1].now == 0:
            _round(loaded, engines[-1:])
        beginnings.append(time.perf_counter() - started)
    return median(_rounds(loaded, engines[:1])), median(_rounds(loaded, engines)), median(beginnings)


def _playing(loaded: LoadedModel) -> Engine:
    engine = Engine(loaded, seed=1)
    if loaded.model.manifest.speech is None:
        engine.note_on(60)
    else:
        engine.say(_TEXT)
    return engine


def _rounds(loaded: LoadedModel, engines: list[Engine]) -> Iterator[float]:
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        _round(loaded, engines)
        yield time.perf_counter() - started


def _round(loaded: LoadedModel, engines: list[Engine]) -> None:
    """One more block of each, in one evaluation."""
    block = loaded.model.manifest.block_samples
    if voices := [voice for engine in engines for voice in engine.lacking(block)]:
        loaded.renderer.render(voices)
    for engine in engines:
        if not engine.lacking(block):
            engine.read(block)
