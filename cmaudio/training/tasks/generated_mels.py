"""Mels from the consistency network, so that the vocoder is fine-tuned on the input that it gets when playing."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.config import VocoderStage
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.tasks.consistency import Conditioned, one_step
from cmaudio.training.tasks.residual import AsRecorded, Target

CONTEXT_FRAMES = 80  # of context before a crop from inside its clip


class GeneratedMels:
    """Replaces the mel of `stage.generated_share` of the clips by one step of a network from the recorded past.

    Takes crops that are CONTEXT_FRAMES longer than the stage's, and shortens them.
    """

    def __init__(
        self,
        network: ConsistencyNetwork,
        stage: VocoderStage,
        sigma: NoiseLevels,
        hop_length: int,
        target: Target | None = None,
    ) -> None:
        self.target = target or AsRecorded()
        self.stage, self.sigma, self.hop_length = stage, sigma, hop_length
        self.network = Conditioned(network.requires_grad_(False).eval(), compiled=False)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        clips, frames, bands = batch.mel.shape
        device, k = batch.mel.device, self.network.network.head.block_frames
        noise = torch.randn(clips * (frames // k - 1), k, bands, generator=generator, device=device)
        context_noise = torch.randn(batch.mel.shape, generator=generator, device=device)
        chosen = torch.rand(clips, generator=generator, device=device) < self.stage.generated_share
        with torch.no_grad():
            target = self.target(batch, generator)
            sampled = one_step(self.network, target, target.mel, noise, context_noise, self.sigma)
            mel = self.target.to_mel(batch, torch.cat([target.mel[:, :k], sampled], 1))
        generated = torch.cat([batch.mel[:, :k], mel[:, k:]], 1)
        mixed = replace(batch, mel=torch.where(chosen[:, None, None], generated, batch.mel))
        return without_context(mixed, self.stage.crops.warm_up_frames, self.hop_length)


def without_context(batch: Batch, warm_up_frames: int, hop_length: int) -> Batch:
    """Shorten crops by CONTEXT_FRAMES: those from the start of a clip at their end, the others at their start."""
    clips, frames, _ = batch.mel.shape
    from_start = batch.scored[:, 0]
    first = torch.where(from_start, 0, CONTEXT_FRAMES)[:, None]
    rows = first + torch.arange(frames - CONTEXT_FRAMES, device=first.device)
    clip = torch.arange(clips, device=first.device)[:, None]

    def pick(x: Tensor) -> Tensor:
        return x[clip, rows]

    warm = (rows - first >= warm_up_frames) | from_start[:, None]
    return replace(
        batch,
        mel=pick(batch.mel),
        controls=pick(batch.controls),
        f0=pick(batch.f0),
        audio=pick(batch.audio.reshape(clips, frames, hop_length)).flatten(1),
        scored=pick(batch.scored) & warm,
    )
