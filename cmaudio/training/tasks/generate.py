"""Free-running generation in torch: every block from the network's own past, as when playing."""

from __future__ import annotations

import torch
from torch import Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.networks.consistency import ConsistencyNetwork


@torch.no_grad()
def free_run(
    network: ConsistencyNetwork, batch: Batch, sigma: NoiseLevels, generator: torch.Generator, *, fine: bool = False
) -> Tensor:
    """(B, T, M) normalised log-mel: the first block of the batch, then one evaluation per block, two if `fine`."""
    k = network.head.block_frames
    frames = batch.mel[:, :k]
    level = torch.full((len(frames),), sigma.context, device=frames.device)
    highest = torch.full_like(level, sigma.max)
    timbre = network.timbres(batch.timbre)[:, None].expand(-1, batch.mel.shape[1], -1)
    c = network.control_encoder(batch.controls, timbre)
    state = network.context_encoder.init_state(len(frames))
    blocks = [frames]
    for start in range(0, batch.mel.shape[1] - k, k):
        noise = torch.randn(2, *frames.shape, generator=generator, device=frames.device)
        past = frames + sigma.context * noise[0]
        context, state = network.context_encoder(past, c[:, start : start + k], level, state)
        now = c[:, start + k : start + 2 * k]
        frames = network.head(noise[1] * sigma.start, highest, context[:, -1], now)
        if fine:
            again = torch.randn(frames.shape, generator=generator, device=frames.device) * sigma.noise(sigma.fine)
            frames = network.head(frames + again, torch.full_like(level, sigma.fine), context[:, -1], now)
        blocks.append(frames)
    return torch.cat(blocks, 1)
