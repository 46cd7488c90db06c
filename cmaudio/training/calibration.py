"""What the networks meet while playing, recorded: the ranges that 8-bit activations have to cover."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from cmaudio.dsp import Float
from cmaudio.engine import Engine
from cmaudio.model import Model
from cmaudio.synthesis import Graph
from cmaudio.training.export import Feed


class _Recorder:
    """Stands in for a graph and keeps every n-th feed."""

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


def record_feeds(model: Model, rounds: int = 12, seed: int = 0) -> dict[str, list[Feed]]:
    """Play random notes over all timbres, pitches, velocities, lengths, bends and morphs; graph name -> feeds.

    A round is 16 notes of up to 3 s, one third of them in two steps.
    """
    feeds: dict[str, list[Feed]] = defaultdict(list)
    rng = np.random.default_rng(seed)
    names = list(model.timbres)
    for index in range(rounds):
        engine = Engine(model, seed=index, steps=2 if index % 3 == 2 else 1)
        synthesizer = engine.synthesizer
        for graph in ("controls", "context", "head", "vocoder"):
            setattr(synthesizer, graph, _Recorder(getattr(synthesizer, graph), feeds[graph], 7))
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
