"""The controls of a corpus's textures: measures of the recordings, scaled to 0..1.

A measure is compared with its median in the timbre, and that distance is ranked among those of the whole corpus: 0.5 is
typical of every timbre, and equal distances give equal controls. A one-shot has one value of each for its whole length,
and neither intensity nor density, which are its velocity and its triggers; `size` is known from how its clip was made.

Shapes: T frames, M mel bands, C controls, P dimensions of a take.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.signal.texture import measure_texture
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_CONTROLS, texture_features
from cmaudio.training.corpus.description import SignalDefinition, TextureScales

VARIANT = " ~"  # separates the name of a recording from that of its variant, in a clip's name
_QUANTILES = 33
_OF_STEADY = ("intensity", "density")
TYPICAL = 0.5

Array = NDArray[np.float64]


def recording_of(clip: str) -> str:
    """The name of the recording of which a clip is a variant."""
    return clip.partition(VARIANT)[0]


def measured(log_mel: Float, velocity: float, steady: bool, begun: int, signal: SignalDefinition) -> dict[str, Array]:
    """Measures (T,) of a clip whose sound starts at frame `begun`, as if it had been played at velocity 127."""
    measures = measure_texture(log_mel[begun:], signal.frame_rate, signal.floor)
    found = {name: np.pad(values, (begun, 0), mode="edge") for name, values in measures.items()}
    found["intensity"] = found["intensity"] - 40 * np.log10(velocity / 127)
    if steady:
        return found
    weights = np.exp(log_mel[begun:].astype(np.float64).mean(1))
    constant = {name: np.full(len(log_mel), np.average(values, weights=weights)) for name, values in measures.items()}
    return {name: values for name, values in constant.items() if name not in _OF_STEADY}


def controls_of(
    measures: Mapping[str, Array], timbre: str, octaves: float, frames: int, scales: TextureScales
) -> Array:
    """(T, C) controls 0..1, in the order of `TEXTURE_CONTROLS`, of a clip slowed down by `octaves`."""
    columns = {name: np.full(frames, TYPICAL) for name in TEXTURE_CONTROLS}
    for name, values in measures.items():
        quantiles = scales.quantiles[name]
        offsets = values - scales.typical[timbre][name]
        columns[name] = np.interp(offsets, quantiles, np.linspace(0, 1, len(quantiles)))
    columns["size"] = np.full(frames, TYPICAL + np.clip(octaves / scales.octaves, -1, 1) / 2)
    return np.stack([columns[name] for name in TEXTURE_CONTROLS], -1)


def texture_rows(
    log_mel: Float, custom: Mapping[str, float | str], clip: str, steady: bool, signal: SignalDefinition,
    scales: TextureScales,
) -> Float:  # fmt: skip
    """(T, 35) features of a clip (`cmaudio.synthesis.texture_features`); `custom` are the custom fields of its cut."""
    rate, frames = signal.sample_rate, len(log_mel)
    onset, velocity = float(custom["onset_samples"]), float(custom["velocity"])
    measures = measured(log_mel, velocity, steady, int(onset) // signal.hop_length, signal)
    controls = controls_of(measures, str(custom["timbre"]), float(custom["size"]), frames, scales)
    take = np.array(scales.takes[str(custom["timbre"])].get(recording_of(clip), [0.0] * TAKE_DIMS))
    ends = (np.arange(frames)[None] + 1.0) * signal.hop_length
    return texture_features(
        (ends - onset) / rate,
        (ends - float(custom["release_samples"])) / rate,
        np.array([velocity]),
        np.full((1, frames), steady),
        controls[None],
        np.broadcast_to(take, (1, frames, TAKE_DIMS)),
    )[0]


def quantiles_of(away: Array) -> list[float]:
    """33 quantiles of distances from the typical, the middle one 0, strictly ascending."""
    found = np.quantile(away, np.linspace(0, 1, _QUANTILES))
    found -= found[_QUANTILES // 2]
    return np.maximum.accumulate(found + 1e-6 * np.arange(-(_QUANTILES // 2), _QUANTILES // 2 + 1)).tolist()
