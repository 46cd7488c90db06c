"""Free-running generation with any sampler: every block from the network's own past, batched over clips.

Shapes: N clips, T frames, K frames of a block, M mel bands, C controls, Z timbre dimensions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from cmaudio.evaluation.corpus.clips import HeldOut
from cmaudio.evaluation.corpus.samplers import Sampler
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import NetworkState, Synthesizer, batch_states

_BATCH = 32
_TIMED_BLOCKS, _WARM_UP_BLOCKS = 40, 8


def free_run(synthesizer: Synthesizer, clips: Sequence[HeldOut], sampler: Sampler, seed: int = 0) -> list[Float]:
    """(T, M) normalised log-mel of each clip. Clips of similar length are batched."""
    order = sorted(range(len(clips)), key=lambda i: len(clips[i].mel))
    mels: dict[int, Float] = {}
    for start in range(0, len(order), _BATCH):
        group = order[start : start + _BATCH]
        frames = len(clips[group[-1]].mel)
        controls = np.stack([_padded(clips[i].controls, frames) for i in group])
        timbre = timbres(synthesizer, [clips[i].timbre for i in group])
        rng = np.random.default_rng([seed, start])
        made = np.concatenate(list(stream(synthesizer, blocks(synthesizer, controls), timbre, sampler, rng)), 1)
        for row, i in zip(made, group, strict=True):
            mels[i] = row[: len(clips[i].mel)]
    return [mels[i] for i in range(len(clips))]


def _padded(rows: Float, frames: int) -> Float:
    return np.concatenate([rows, np.repeat(rows[-1:], frames - len(rows), 0)])


def timbres(synthesizer: Synthesizer, names: Sequence[str]) -> Float:
    """(N, Z) vectors: teacher and student have different ones."""
    return np.stack([synthesizer.model.timbre_vector(name) for name in names]).astype(np.float32)


def blocks(synthesizer: Synthesizer, controls: Float) -> Iterator[Float]:
    """(N, T, C) in pieces (N, K, C)."""
    k = synthesizer.block_frames
    return (np.ascontiguousarray(controls[:, begin : begin + k]) for begin in range(0, controls.shape[1], k))


def stream(
    synthesizer: Synthesizer, controls: Iterable[Float], timbre: Float, sampler: Sampler, rng: np.random.Generator
) -> Iterator[Float]:
    """Controls (N, K, C) block after block, timbres (N, Z) -> (N, K, M) block after block; the first is silence."""
    k, bands = synthesizer.block_frames, synthesizer.bands
    timbre = np.ascontiguousarray(np.broadcast_to(timbre[:, None], (len(timbre), k, timbre.shape[-1])))
    state: NetworkState | None = None
    for block in controls:
        if state is None:
            pairs = zip(np.split(block, len(block)), np.split(timbre, len(block)), strict=True)
            state = batch_states([synthesizer.init_state(*pair) for pair in pairs])
        else:
            context_noise = rng.standard_normal((len(block), k, bands), dtype=np.float32)
            noise = rng.standard_normal((len(block), sampler.noises, k, bands), dtype=np.float32)
            given = synthesizer.condition(state, block, timbre, context_noise)
            made = sampler.run(given.denoiser(synthesizer), noise).astype(np.float32)
            state = given.next_state(made, state.vocoder)
        yield state.frames


def block_ms(synthesizer: Synthesizer, clip: HeldOut, sampler: Sampler) -> float:
    """Median milliseconds for the log-mel frames of one block of one voice."""
    again = (block for _ in range(_TIMED_BLOCKS) for block in blocks(synthesizer, clip.controls[None]))
    running = stream(synthesizer, again, timbres(synthesizer, [clip.timbre]), sampler, np.random.default_rng(0))
    done = [time.perf_counter() for _, _ in zip(range(_TIMED_BLOCKS + 1), running, strict=False)]
    return float(np.median(np.diff(done)[_WARM_UP_BLOCKS:])) * 1e3
