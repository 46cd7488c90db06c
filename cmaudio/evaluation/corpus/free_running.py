"""Free running with any sampler: every block from the network's own past, many clips at a time.

Shapes: N clips, T frames, K frames of a block, M mel bands, C controls, Z timbre dimensions.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cmaudio.dsp import Float
from cmaudio.evaluation.corpus.clips import HeldOut
from cmaudio.evaluation.corpus.samplers import Sampler
from cmaudio.synthesis import NetworkState, Synthesizer, batch_states

_BATCH = 32


@dataclass(frozen=True)
class Generated:
    """(T, M) normalised log-mel of each clip in its order, and the milliseconds that a block of one clip took."""

    mels: list[Float]
    block_ms: float


def free_run(synthesizer: Synthesizer, clips: Sequence[HeldOut], sampler: Sampler, seed: int = 0) -> Generated:
    """Clips of like length run together; the shorter ones' surplus is dropped."""
    order = sorted(range(len(clips)), key=lambda i: len(clips[i].mel))
    mels: dict[int, Float] = {}
    blocks, began = 0, time.perf_counter()
    for start in range(0, len(order), _BATCH):
        group = order[start : start + _BATCH]
        frames = len(clips[group[-1]].mel)
        controls = np.stack([_padded(clips[i].controls, frames) for i in group])
        timbre = np.stack([clips[i].timbre for i in group])
        made = run_controls(synthesizer, controls, timbre, sampler, np.random.default_rng([seed, start]))
        blocks += len(group) * frames // synthesizer.block_frames
        for row, i in zip(made, group, strict=True):
            mels[i] = row[: len(clips[i].mel)]
    return Generated([mels[i] for i in range(len(clips))], 1e3 * (time.perf_counter() - began) / max(1, blocks))


def _padded(rows: Float, frames: int) -> Float:
    return np.concatenate([rows, np.repeat(rows[-1:], frames - len(rows), 0)])


def run_controls(
    synthesizer: Synthesizer, controls: Float, timbre: Float, sampler: Sampler, rng: np.random.Generator
) -> Float:
    """Controls (N, T, C), timbres (N, Z) -> (N, T, M); the first block is silence."""
    k, (count, frames, _) = synthesizer.block_frames, controls.shape
    timbre = np.ascontiguousarray(np.broadcast_to(timbre[:, None], (count, k, timbre.shape[-1])))
    start = controls[:, :k]
    state: NetworkState = batch_states(
        [synthesizer.init_state(start[i : i + 1], timbre[i : i + 1]) for i in range(count)]
    )
    out = [state.frames]
    for begin in range(k, frames, k):
        context_noise = rng.standard_normal((count, k, synthesizer.bands), dtype=np.float32)
        noise = rng.standard_normal((count, sampler.noises, k, synthesizer.bands), dtype=np.float32)
        given = synthesizer.condition(
            state, np.ascontiguousarray(controls[:, begin : begin + k]), timbre, context_noise
        )
        made = sampler.run(given.denoiser(synthesizer), noise).astype(np.float32)
        state = NetworkState(made, given.conditioning, given.state, state.vocoder)
        out.append(made)
    return np.concatenate(out, 1)
