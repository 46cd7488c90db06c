"""Measures the motion of textures on the recordings of a corpus, compared with what a model plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.learning.hearing import heard
from cmaudio.learning.motion import Compared, alike, motion_of, still_at, usable
from cmaudio.learning.one_shot_motion import followed, one_shot_motion_of
from cmaudio.model.file import Model
from cmaudio.model.motion import Motion
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.texture_features import TAKE_DIMS
from cmaudio.training.corpus.texture_recordings import read_takes
from cmaudio.training.export.measured import amend, with_measured

_SEEDS, _WITHOUT_RESIDUAL_SEEDS, _SECONDS, _SKIPPED_SECONDS = (0, 1, 2, 3), (0, 1), 3.0, 0.4


def amend_motion(model: Model, output: Path, corpus: Path) -> Model:
    """Write a model file whose textures have the motion of a corpus's recordings.

    Raises CmaudioError as `measured_motion` does.
    """
    return amend(model, output, "motion", measured_motion(model, corpus))


def measured_motion(model: Model, corpus: Path) -> dict[str, Motion]:
    """The motion of every timbre of a model with recordings in the corpus, by name.

    Raises CmaudioError if the corpus is not of textures, has another signal format or no usable recordings.
    """
    manifest = model.manifest
    recorded = read_takes(corpus, manifest.sample_rate, manifest.hop_length, manifest.mel.bands)
    networks = Synthesizer(model)
    found: dict[str, Motion] = {}
    for timbre in manifest.timbres:
        if timbre.name in recorded:
            points, mels = zip(*recorded[timbre.name], strict=True)
            if timbre.sustained:
                found |= _endless(model, networks, timbre.name, points, mels)
            else:
                found |= _one_shot(model, networks, timbre.name, mels)
    if not found:
        raise CmaudioError(f"{corpus}: no recordings of the timbres of {model.path.name}, or too short or silent ones")
    return found


def _one_shot(model: Model, networks: Synthesizer, timbre: str, mels: Sequence[Float]) -> dict[str, Motion]:
    """The motion of recordings (T, M) beside the typical take, by timbre; empty if they are silent."""
    floor = float(np.log(model.manifest.mel.floor))
    recorded = followed(mels, floor)
    point = [0.0] * TAKE_DIMS
    still = _still(model, timbre, point)
    seconds = max(map(len, recorded)) / model.manifest.frame_rate
    with_residual = heard(still, networks, timbre, seconds, _SEEDS)
    without_residual = heard(still, networks, timbre, seconds, _WITHOUT_RESIDUAL_SEEDS, expression={"humanity": 0.0})
    motion = one_shot_motion_of(point, recorded, with_residual, without_residual, floor)
    return {} if motion is None else {timbre: motion}


def _still(model: Model, timbre: str, point: list[float]) -> Model:
    """A model whose timbre stands still at a take (P,)."""
    motion = still_at(point, model.manifest.mel.bands)
    return replace(model, manifest=with_measured(model.manifest, "motion", {timbre: motion}))


def _endless(
    model: Model, networks: Synthesizer, timbre: str, points: Sequence[list[float]], mels: Sequence[Float]
) -> dict[str, Motion]:
    """The motion of recordings (T, M) with takes (P,), by timbre; empty if all are too short."""
    fitting = usable(mels)
    compared = []
    for group in alike(fitting):
        mean = np.mean([points[number] for number in group], 0)
        point = [round(float(value), 4) for value in mean]
        still = _still(model, timbre, point)
        skipped = round(_SKIPPED_SECONDS * model.manifest.frame_rate)
        with_residual, without_residual = (
            [mel[skipped:] for mel in heard(still, networks, timbre, _SECONDS, seeds, expression=expression)]
            for seeds, expression in ((_SEEDS, {}), (_WITHOUT_RESIDUAL_SEEDS, {"humanity": 0.0}))
        )
        compared.append(Compared(point, [fitting[number] for number in group], with_residual, without_residual))
    return {timbre: motion_of(compared)} if compared else {}
