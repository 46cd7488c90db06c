"""The effect of one step beyond the prior's median, compared with recordings and with noise without a network.

The rows are the recordings, the median alone, one step, and autoregressive noise in the prior's spread: with the
variance of the step's samples and the recordings' own correlation from frame to frame. A network whose samples are no
better than this noise is not worth its cost. A model without a prior has only the first row and that of one step.

Shapes: N notes, T frames, K frames of a block, M mel bands. Frames are normalised log-mel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures
from cmaudio.evaluation.held_out import Material, compare, generate, record_held_out
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.prior import MedianAndSpread, Prediction
from cmaudio.synthesis.renderer import Renderer

_DB = 20 / np.log(10)
_ACTIVE_ABOVE_FLOOR = 10.0  # 20 dB
_SOUNDING_DB = -45.0  # level of a frame whose changes count
_ATTACK_FRAMES = 12  # excluded from changes
_LOUDNESS_FRAMES = 45  # of a note, half a second
_HALF_WINDOW = 24  # frames; longer deviations are not fluctuation
_APART = 16  # bands, at which residuals should hardly be correlated
_MOST = 6.0  # spreads
_PATCH = 16  # frames and bands of a scored patch
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Reference:
    """The reference for notes, without their first block.

    Attributes:
        recorded: (N, T, M).
        active: (N, T, M) bands at least 20 dB above the floor.
        steady: (N, T - 1) whether a change of level counts.
        block_frames: K.
    """

    recorded: Float
    active: Bool
    steady: Bool
    block_frames: int


def measure_residual(context: EvaluationContext) -> Figures:
    """Distances, fluctuation and scores of every row, on the held-out notes."""
    material = record_held_out(context, "residual")
    if not isinstance(material, Material):
        return material
    renderer = context.renderer
    context.progress("residual: two seeds of one step")
    generated = [generate(renderer, material, 1, seed) for seed in (0, 1)]
    rows = {"recorded": [material.mels] * 2, "one_step": generated}
    predicted = predictions(renderer, material)
    if predicted is not None:
        rows["median"] = [np.maximum(predicted.median, predicted.silence)] * 2
        rows["noise"] = [predicted.frames(noise, np.float32(1)) for noise in noise_like(predicted, generated, material)]
    reference = _reference(renderer, material)
    figures: Figures = {"notes": len(material.mels)}
    return figures | {
        name: measure_row(
            renderer, one[:, renderer.block_frames :], two[:, renderer.block_frames :], reference, predicted
        )
        for name, (one, two) in rows.items()
    }


def predictions(renderer: Renderer, material: Material) -> MedianAndSpread | None:
    """The prior's output for all frames; None for a model without one."""
    k, synthesizer = renderer.block_frames, renderer.synthesizer
    blocks = [
        _at_corrected_level(synthesizer, material.controls[:, start : start + k], material.timbre[:, start : start + k])
        for start in range(0, material.mels.shape[1], k)
    ]
    predicted = [block for block in blocks if isinstance(block, MedianAndSpread)]
    if not predicted:
        return None
    median, spread = (np.concatenate([getattr(block, name) for block in predicted], 1) for name in ("median", "spread"))
    return MedianAndSpread(material.controls, median, spread, predicted[0].silence[:, :1])


def _at_corrected_level(synthesizer: Synthesizer, controls: Float, timbre: Float) -> Prediction:
    """The prediction of a block, with the level that the correction adds after the vocoder."""
    predicted = synthesizer.predict(controls, timbre)
    if not isinstance(predicted, MedianAndSpread):
        return predicted
    return replace(predicted, median=synthesizer.with_corrected_level(predicted.median, controls, timbre))


def fluctuation(frames: Float, predicted: MedianAndSpread) -> Float:
    """Deviations from the median in spreads, without those that last longer than half a second."""
    off = np.clip((frames - predicted.median) / predicted.spread, -_MOST, _MOST)
    started = (predicted.controls[..., :1] > 0).astype(np.float32)
    window = 2 * _HALF_WINDOW + 1
    sums = [np.pad(part, ((0, 0), (_HALF_WINDOW, _HALF_WINDOW), (0, 0))).cumsum(1) for part in (off * started, started)]
    sums = [np.pad(total, ((0, 0), (1, 0), (0, 0))) for total in sums]
    totals = [total[:, window:] - total[:, :-window] for total in sums]
    moving: Float = (off - totals[0] / np.maximum(totals[1], 1)) * started
    return moving


def noise_like(predicted: MedianAndSpread, generated: list[Float], material: Material) -> list[Float]:
    """(N, T, M) noise for every seed, with the variance of the samples and the recordings' temporal correlation."""
    recorded = fluctuation(material.mels, predicted)
    correlation = float((recorded[:, 1:] * recorded[:, :-1]).sum() / np.square(recorded).sum())
    out = []
    for seed, frames in enumerate(generated):
        moving = fluctuation(frames, predicted)
        size = np.sqrt(np.square(moving).sum() / np.count_nonzero(moving))
        noise = np.random.default_rng(seed).standard_normal(frames.shape, dtype=np.float32)
        noise[:, 1:] *= np.sqrt(1 - correlation**2)
        for t in range(1, noise.shape[1]):
            noise[:, t] += correlation * noise[:, t - 1]
        out.append(noise * np.float32(size))
    return out


def _reference(renderer: Renderer, material: Material) -> Reference:
    synthesizer, k = renderer.synthesizer, renderer.block_frames
    recorded = material.mels[:, k:]
    active = (recorded * synthesizer.std + synthesizer.mean) > np.log(renderer.mel.floor * _ACTIVE_ABOVE_FLOOR)
    sounding = level_db(renderer, recorded) > _SOUNDING_DB
    steady = sounding[:, 1:] & sounding[:, :-1]
    steady[:, :_ATTACK_FRAMES] = False
    return Reference(recorded, active, steady, k)


def level_db(renderer: Renderer, frames: Float) -> Float:
    """(N, T, M) -> (N, T): root mean square over bands."""
    power = np.exp(2 * (frames * renderer.synthesizer.std + renderer.synthesizer.mean).astype(np.float64))
    level: Float = (10 * np.log10(power.mean(-1))).astype(np.float32)
    return level


def measure_row(
    renderer: Renderer, one: Float, two: Float, reference: Reference, predicted: MedianAndSpread | None
) -> Figures:
    """Figures of two seeds (N, T, M) of one row, without their first block."""
    recorded, levels = reference.recorded, level_db(renderer, one)
    seams = np.arange(levels.shape[1] - 1) % reference.block_frames == reference.block_frames - 1
    change = np.abs(np.diff(levels, axis=1))
    loud, again, right = (_loudness(level_db(renderer, frames)) for frames in (one, two, recorded))
    off = np.abs(loud - right)
    scores = [_score(renderer, (one, two, recorded), reference, changes) for changes in (False, True)]
    figures = compare(renderer, one, recorded) | {
        "loudness_off_db": _rounded(np.median(off)),
        "loudness_off_p90_db": _rounded(np.percentile(off, 90)),
        "seeds_loudness_db": _rounded(np.abs(loud - again).mean()),
        "change_db": _rounded(change[:, ~seams][reference.steady[:, ~seams]].mean()),
        "change_at_seams_db": _rounded(change[:, seams][reference.steady[:, seams]].mean()),
        "score_db": _rounded(scores[0]),
        "score_of_changes_db": _rounded(scores[1]),
    }
    if predicted is not None:
        figures["correlation_16_bands"] = _rounded(_correlation(one, reference, predicted))
    return figures


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 3)


def _loudness(levels: Float) -> Float:
    """(N, T) -> (N,) dB over a note's first half second."""
    loudness: Float = 10 * np.log10((10 ** (levels[:, :_LOUDNESS_FRAMES] / 10)).mean(1))
    return loudness


def _correlation(frames: Float, reference: Reference, predicted: MedianAndSpread) -> float:
    """Correlation of the residuals of bands 16 apart, about their mean over the note, where both are active."""
    k = reference.block_frames
    off = np.clip((frames - predicted.median[:, k:]) / predicted.spread[:, k:], -_MOST, _MOST)
    off = (off - off.mean(1, keepdims=True)) * reference.active
    both = reference.active[..., :-_APART] & reference.active[..., _APART:]
    low, high = off[..., :-_APART] * both, off[..., _APART:] * both
    return float((low * high).sum() / np.sqrt(np.square(low).sum() * np.square(high).sum()))


def _score(renderer: Renderer, frames: tuple[Float, Float, Float], reference: Reference, changes: bool) -> float:
    """Energy score of patches of 16 frames x 16 bands, or of their changes from frame to frame, in dB per value.

    Proper, unlike a distance: it is minimal for samples with the distribution of the recordings, where a distance is
    minimal for their median.
    """
    scale, active = renderer.synthesizer.std * np.float32(_DB), reference.active
    one, two, recorded = frames
    errors = [(a - b) * scale for a, b in ((one, recorded), (two, recorded), (one, two))]
    if changes:
        active = active[:, 1:] & active[:, :-1]
        errors = [np.diff(error, axis=1) for error in errors]
    count = _patches(active.astype(np.float32))
    scored = count > _PATCH * _PATCH / 8
    first, second, between = (np.sqrt(_patches(np.square(e) * active)[scored] / count[scored]) for e in errors)
    return float((first + second - between).mean() / 2)


def _patches(values: Float) -> Float:
    """(N, T, M) -> sums over patches (N, T / 16, M / 16)."""
    windows = sliding_window_view(values, (_PATCH, _PATCH), (1, 2))[:, ::_PATCH, ::_PATCH]
    sums: Float = windows.sum((-1, -2))
    return sums
