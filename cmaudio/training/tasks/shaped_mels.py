"""Mels reshaped as by a player's controls, so that a vocoder sees such frames in training."""

from __future__ import annotations

from dataclasses import replace

import torch

from cmaudio.score.expression import EXPRESSIONS
from cmaudio.signal.dsp import Mel
from cmaudio.synthesis.spectrum_shaping import SpectrumShaper
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clips import MelStatistics

_LEVEL_DB = (-24.0, 6.0)  # a soft velocity or a sustain level, to full pressure


class ShapedMels:
    """Applies a random brightness, resonance and level, each to `share` of the crops.

    Brightness and resonance are uniform over their ranges in `EXPRESSIONS`, and constant over a crop. Pitch, controls
    and audio are unchanged, so it is only for tasks that need no recording, such as `VocoderDistillation`.

    Args:
        mel: of the corpus.
        statistics: with which the mels of a batch are normalised.
        share: 0 to 1.
    """

    def __init__(self, mel: Mel, statistics: MelStatistics, share: float) -> None:
        self.share = share
        self._shaper = SpectrumShaper(mel, statistics.mean.cpu().numpy(), statistics.std.cpu().numpy())

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        clips, frames, _ = batch.mel.shape
        device = batch.mel.device

        def random_setting(least: float, most: float) -> torch.Tensor:
            uniform = torch.rand(2, clips, generator=generator, device=device)
            values = torch.where(uniform[0] < self.share, least + (most - least) * uniform[1], 0.0)
            return values[:, None].expand(clips, frames)

        ranges = [(EXPRESSIONS[name].min, EXPRESSIONS[name].max) for name in ("brightness", "resonance")]
        brightness, resonance, level = (random_setting(*limits).cpu().numpy() for limits in (*ranges, _LEVEL_DB))
        shaped = self._shaper(batch.mel.cpu().numpy(), batch.f0.cpu().numpy(), brightness, resonance, level)
        return replace(batch, mel=torch.from_numpy(shaped).to(device))
