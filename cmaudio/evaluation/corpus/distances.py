"""Distances between generated and recorded log-mels, and between two sets of them.

Shapes: T frames, M mel bands; mels are normalised log-mel, one array per clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.held_out import frechet_of_features
from cmaudio.model.manifest import Manifest
from cmaudio.signal.dsp import Float

_DB = 20 / np.log(10)
_ACTIVE_ABOVE_FLOOR = 10.0  # 20 dB
_ATTACK_SECONDS = 0.35
_PATCH_FRAMES, _PATCH_BANDS = 8, 4


@dataclass(frozen=True)
class MelScale:
    """Converts normalised log-mel to dB, and finds the active bands."""

    std: Float
    active_above: Float  # (M,) normalised
    attack_frames: int
    lead_frames: int  # before the onset

    @classmethod
    def of(cls, manifest: Manifest) -> MelScale:
        mean, std = np.array(manifest.mel.mean, np.float32), np.array(manifest.mel.std, np.float32)
        active = (np.log(manifest.mel.floor * _ACTIVE_ABOVE_FLOOR) - mean) / std
        attack_frames = round(_ATTACK_SECONDS * manifest.frame_rate)
        return cls(std, active.astype(np.float32), attack_frames, manifest.block_frames)

    def compare(self, ours: Sequence[Float], recorded: Sequence[Float]) -> Figures:
        """Mean L1 in dB over all frames of all clips, and the Fréchet distance of log-mel patches.

        L1 of all bands, of those active in the recording, of the 0.35 s from the onset on, and of each clip's first
        and last third.
        """
        errors = [np.abs(a - b) * self.std * _DB for a, b in zip(ours, recorded, strict=True)]
        active = np.concatenate([e[r > self.active_above] for e, r in zip(errors, recorded, strict=True)])
        attack = slice(self.lead_frames, self.lead_frames + self.attack_frames)
        return {
            "l1_all_db": _mean(errors),
            "l1_active_db": round(float(active.mean()), 3) if active.size else None,
            "l1_attack_db": _mean([e[attack] for e in errors]),
            "l1_first_third_db": _mean([e[: len(e) // 3] for e in errors]),
            "l1_last_third_db": _mean([e[-(len(e) // 3) :] for e in errors]),
            "frechet": patch_frechet(ours, recorded),
        }


def _mean(errors: Sequence[NDArray[np.float32]]) -> float:
    return round(float(np.concatenate(errors).mean()), 3)


def patch_frechet(a: Sequence[Float], b: Sequence[Float]) -> float | None:
    """Fréchet distance between patches of 8 frames, each the means of 4 bands; None for too few."""
    x, y = (np.concatenate([_patches(mel) for mel in mels]) for mels in (a, b))
    # A covariance of d features needs several times d examples.
    return round(frechet_of_features(x, y), 4) if min(len(x), len(y)) > 4 * x.shape[1] else None


def _patches(mel: Float) -> NDArray[np.float64]:
    """(P, M / 4), patches that start at frame 0 and at frame 4, to cover both block phases."""
    bands = mel.shape[1] // _PATCH_BANDS
    parts = []
    for offset in (0, _PATCH_FRAMES // 2):
        rows = mel[offset:, : bands * _PATCH_BANDS]
        rows = rows[: len(rows) // _PATCH_FRAMES * _PATCH_FRAMES].astype(np.float64)
        parts.append(rows.reshape(-1, _PATCH_FRAMES, bands, _PATCH_BANDS).mean((1, 3)))
    return np.concatenate(parts)
