"""A picture of recordings beside generated clips: spectrograms, onsets, and modulation of the bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.corpus.clips import HeldOut
from cmaudio.evaluation.libraries import librosa_display
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float

_ROWS = 5
_ONSET_FRAMES = 48


def save_picture(path: Path, model: Model, clips: Sequence[HeldOut], mels: Mapping[str, Sequence[Float]]) -> None:
    """A row per clip, a column per sampler; below, the mean level around the onset and the spectrum of its changes."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise CmaudioError("matplotlib is missing: a picture needs pip install 'cmaudio[train]'") from error
    mean, std = np.array(model.manifest.mel.mean, np.float32), np.array(model.manifest.mel.std, np.float32)
    log_mels = {label: [mel * std + mean for mel in of_label] for label, of_label in mels.items()}
    chosen = np.linspace(0, len(clips) - 1, min(_ROWS, len(clips))).astype(int)
    figure, axes = plt.subplots(
        len(chosen) + 1, len(mels), figsize=(3.2 * len(mels), 2.1 * len(chosen) + 3), squeeze=False
    )
    _draw_clips(axes, chosen.tolist(), model, clips, log_mels)
    frame_rate = model.manifest.frame_rate
    grid = axes[0, 0].get_gridspec()
    for axis in axes[-1]:
        axis.remove()
    middle = max(1, len(mels) // 2)
    _onsets(figure.add_subplot(grid[-1, :middle]), log_mels, model.manifest.block_frames, frame_rate)
    if middle < len(mels):
        _modulation(figure.add_subplot(grid[-1, middle:]), log_mels, frame_rate)
    figure.tight_layout()
    try:
        figure.savefig(path, dpi=90)
    except (OSError, ValueError) as error:
        raise CmaudioError(
            f"picture {path} cannot be written ({error}); give a .png path in an existing folder"
        ) from error
    finally:
        plt.close(figure)


def _draw_clips(
    axes: Any,
    chosen: Sequence[int],
    model: Model,
    clips: Sequence[HeldOut],
    log_mels: Mapping[str, Sequence[Float]],
) -> None:
    floor = float(np.log(model.manifest.mel.floor))
    for row, index in enumerate(chosen):
        top = float(log_mels["recording"][index].max())
        for column, (label, of_label) in enumerate(log_mels.items()):
            axis = axes[row, column]
            _spectrogram(axis, of_label[index], model, floor, max(top, floor + 1))
            axis.label_outer()
            axis.set_title(label if row == 0 else "", fontsize=9)
            axis.set_ylabel(clips[index].name[:28] if column == 0 else "", fontsize=7)
            axis.tick_params(labelsize=6)


def _spectrogram(axis: Any, log_mel: Float, model: Model, low: float, high: float) -> None:
    m = model.manifest
    librosa_display().specshow(
        log_mel.T,
        ax=axis,
        x_axis="time",
        y_axis="mel",
        sr=m.sample_rate,
        hop_length=m.hop_length,
        fmin=m.mel.f_min_hz,
        fmax=m.mel.f_max_hz,
        cmap="magma",
        vmin=low,
        vmax=high,
    )


def _onsets(axis: Any, log_mels: Mapping[str, Sequence[Float]], lead_frames: int, frame_rate: float) -> None:
    for label, mels in log_mels.items():
        levels = [_level_db(mel[:_ONSET_FRAMES]) for mel in mels if len(mel) >= _ONSET_FRAMES]
        if levels:
            time = (np.arange(_ONSET_FRAMES) - lead_frames) / frame_rate * 1e3
            axis.plot(time, np.mean(levels, 0), label=label, linewidth=2 if label == "recording" else 1)
    axis.set(xlabel="ms from the onset", ylabel="mean level, dB")
    axis.legend(fontsize=7)


def _modulation(axis: Any, log_mels: Mapping[str, Sequence[Float]], frame_rate: float) -> None:
    """Spectrum of each band's changes from frame to frame; a peak at the block rate is audible as buzz."""
    for label, mels in log_mels.items():
        frames = 128
        parts = [mel[16 : 16 + frames] for mel in mels if len(mel) >= 16 + frames]
        if parts:
            window = np.hanning(frames)[:, None]
            power = np.mean([np.abs(np.fft.rfft((p - p.mean(0)) * window, axis=0)) ** 2 for p in parts], (0, 2))
            hz = np.fft.rfftfreq(frames, 1 / frame_rate)
            axis.plot(hz[1:], 10 * np.log10(power[1:] + 1e-12), label=label, linewidth=2 if label == "recording" else 1)
    axis.set(xlabel="modulation of the bands, Hz", ylabel="dB")


def _level_db(log_mel: Float) -> NDArray[np.float64]:
    """(T,) level of each frame."""
    return 10 * np.log10(np.exp(2 * log_mel.astype(np.float64)).mean(1))
