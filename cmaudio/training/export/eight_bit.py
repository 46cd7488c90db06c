"""Graphs of a model in 8 bit, calibrated by playing them in float."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import GRAPHS, Manifest
from cmaudio.model.saving import save_model
from cmaudio.signal.dsp import Float
from cmaudio.speech.phonemes import PAUSES
from cmaudio.synthesis.graph import Graph
from cmaudio.training.export.graphs import KEEP_FLOAT, Feed, quantise


def round_to_half_precision(network: nn.Module) -> None:
    """Round all weights: those that stay in float then compress better, which makes a file a fifth smaller."""
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()


def in_8_bit(
    manifest: Manifest,
    graphs: Mapping[str, bytes],
    names: Iterable[str],
    corrections: NDArray[np.int8] | None = None,
) -> dict[str, bytes]:
    """The named ones of a model's graphs, quantised to the ranges of the activations while the model plays.

    `corrections` are the rows of its timbres' tables, if they have any.
    """
    with tempfile.TemporaryDirectory() as scratch:
        before = Path(scratch) / "float.cmaudio"
        save_model(before, manifest, graphs, "", corrections=corrections)
        feeds = record_feeds(load_model(before))
    return {name: quantise(graphs[name], feeds[name], KEEP_FLOAT[name]) for name in names}


class _Recorder:
    """Wraps a graph and records every n-th feed."""

    def __init__(self, graph: Graph, feeds: list[Feed], every: int) -> None:
        self._graph, self._feeds, self._every, self._calls = graph, feeds, every, 0

    def __call__(self, *inputs: Float, state: Sequence[Float] = ()) -> list[Float]:
        if self._calls % self._every == 0:
            names = self._graph.input_names
            self._feeds.append({n: np.array(x) for n, x in zip(names, (*inputs, *state), strict=True)})
        self._calls += 1
        return self._graph(*inputs, state=state)

    def init_state(self, batch: int) -> list[Float]:
        return self._graph.init_state(batch)


def record_feeds(model: Model, rounds: int = 12) -> dict[str, list[Feed]]:
    """Inputs of the networks, recorded while playing or speaking at random: graph name -> feeds."""
    return _speak(model, rounds) if model.manifest.speech else _play(model, rounds)


def _play(model: Model, rounds: int) -> dict[str, list[Feed]]:
    """Random notes over all timbres, pitches, velocities, lengths, bends and morphs.

    A round is 16 notes of up to 3 s, one third of them in two steps.
    """
    feeds: dict[str, list[Feed]] = defaultdict(list)
    rng = np.random.default_rng(0)
    names = list(model.timbres)
    for index in range(rounds):
        engine = Engine(model, seed=index, steps=2 if index % 3 == 2 else 1, channels=1)
        _record(engine, feeds)
        for _ in range(16):
            start = int(rng.integers(0, 4096))
            note = engine.note_on(
                int(rng.integers(28, 97)), int(rng.integers(16, 128)), timbre=str(rng.choice(names)), at=start
            )
            if rng.random() < 0.4:
                note.bend(rng.uniform(-4, 4), 0.5, at=start + 9600)
            if rng.random() < 0.2:
                note.morph(str(rng.choice(names)), 0.5, at=start + 19200)
            note.off(at=start + int(rng.uniform(0.15, 2.6) * engine.sample_rate))
        engine.read(3 * engine.sample_rate)
    return dict(feeds)


def _speak(model: Model, rounds: int) -> dict[str, list[Feed]]:
    """Random phonemes as words and phrases, at all rates, pitches and efforts, by all speakers."""
    feeds: dict[str, list[Feed]] = defaultdict(list)
    rng = np.random.default_rng(0)
    assert model.manifest.speech is not None
    sounds = [symbol for symbol in model.manifest.speech.symbols if symbol and symbol not in PAUSES]
    for index in range(rounds):
        engine = Engine(model, seed=index, steps=2 if index % 3 == 2 else 1, channels=1)
        _record(engine, feeds)
        words = ("".join(rng.choice(sounds, rng.integers(1, 8))) for _ in range(12))
        marks = rng.choice(["", "", "", *PAUSES], 12)
        engine.say(
            " ".join(word + mark for word, mark in zip(words, marks, strict=True)),
            phonemes=True,
            timbre=str(rng.choice(list(model.timbres))),
            rate=float(rng.uniform(0.7, 1.4)),
            pitch=float(rng.uniform(-6, 6)),
            energy=float(rng.uniform(-6, 6)),
        )
        engine.read(4 * engine.sample_rate)
    return dict(feeds)


def _record(engine: Engine, feeds: dict[str, list[Feed]]) -> None:
    synthesizer = engine.synthesizer
    for graph in GRAPHS:
        setattr(synthesizer, graph, _Recorder(getattr(synthesizer, graph), feeds[graph], 7))
