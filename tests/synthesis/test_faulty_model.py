"""A model whose output is not finite ends the voice concerned, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import TinyModel

from cmaudio.engine.engine import Engine
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.graph import Graph


class Faulty:
    """A vocoder that fails above 1 kHz."""

    def __init__(self, vocoder: Graph) -> None:
        self._vocoder, self.init_state = vocoder, vocoder.init_state

    def __call__(self, frames: Float, f0: Float, state: list[Float]) -> list[Float]:
        filters, *states = self._vocoder(frames, f0, state=state)
        filters[f0[:, -1] > 1000] = np.nan
        return [filters, *states]


def test_numbers_that_are_not_finite_end_that_voice_only(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def sound(broken: bool) -> Float:
        engine = Engine(tiny.model, channels=1)
        if broken:
            monkeypatch.setattr(engine.synthesizer, "vocoder", Faulty(engine.synthesizer.vocoder))
            engine.note_on(96, seed=2)
        engine.note_on(40, seed=1)
        samples = np.concatenate([engine.read(4000) for _ in range(4)])
        assert engine.sounding == 1
        return samples

    np.testing.assert_array_equal(sound(True), sound(False))
