"""One step of the consistency model against the sampler of its diffusion teacher."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cmaudio.model.file import Model
from cmaudio.synthesis.heun import STEPS, evaluations, heun, karras_sigmas
from cmaudio.synthesis.networks import NetworkState, Synthesizer

_RUNS = 60


class _OneBlock:
    """One block of one voice, with random inputs, since the cost of the networks does not depend on them."""

    def __init__(self, model: Model) -> None:
        self.synthesizer = Synthesizer(model)
        random = np.random.default_rng(0)
        k, bands, sigma = model.manifest.block_frames, model.manifest.mel.bands, model.manifest.sigma
        self._controls = random.standard_normal((1, k, self.synthesizer.features + bands), dtype=np.float32)
        self._timbre = random.standard_normal((1, k, model.manifest.timbre_dims), dtype=np.float32)
        self._noise = random.standard_normal((1, 1, k, bands), dtype=np.float32)
        self._f0 = np.full((1, k), 220.0, np.float32)
        self._sigmas = karras_sigmas(STEPS, sigma.min, sigma.max)
        self._state = self.synthesizer.init_state(self._controls, self._timbre)

    def one_step(self) -> NetworkState:
        """Context, conditioning and one evaluation of the head."""
        return self.synthesizer.generate(self._state, self._controls, self._timbre, self._noise[:, 0], self._noise)

    def sampled(self) -> NetworkState:
        """Context, conditioning and the Heun sampler on the same head."""
        given = self.synthesizer.condition(self._state, self._controls, self._timbre, self._noise[:, 0])
        frames = heun(given.denoiser(self.synthesizer), self._noise[:, 0], self._sigmas)
        return given.next_state(frames, self._state.vocoder)

    def vocode(self, state: NetworkState) -> None:
        """The vocoder network, which follows in both cases."""
        self.synthesizer.filters(state, self._f0)


def measure_teacher(model: Model, runs: int = _RUNS) -> dict[str, Any]:
    """Median milliseconds for one block of one voice, one step and the 18-step sampler in turn.

    The teacher's networks have the same shapes as the model's, which stand in for them.
    Keys: `evaluations` of the sampler, `block_ms` of audio, `one_step_ms`, `sampler_ms` (log-mel frames),
    `vocoder_ms` (its network), `ratio`, `ratio_with_vocoder`.
    """
    block = _OneBlock(model)
    state = block.one_step()
    cases: dict[str, Callable[[], object]] = {
        "one_step": block.one_step,
        "sampler": block.sampled,
        "vocoder": lambda: block.vocode(state),
    }
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs):
        for name, make in cases.items():
            before = time.perf_counter()
            make()
            took[name].append(1000 * (time.perf_counter() - before))
    one, sampler, vocoder = (statistics.median(took[name]) for name in cases)
    return {
        "evaluations": evaluations(STEPS),
        "block_ms": 1000 * model.manifest.block_frames * model.manifest.hop_length / model.manifest.sample_rate,
        "one_step_ms": one,
        "sampler_ms": sampler,
        "vocoder_ms": vocoder,
        "ratio": sampler / one,
        "ratio_with_vocoder": (sampler + vocoder) / (one + vocoder),
    }
