"""Training on the network's own output, against drift: parallel scheduled sampling.

Duckworth, Neelakantan, Goodrich, Kaiser, Bengio: "Parallel Scheduled Sampling" (2019, arXiv 1906.04331).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def rollout(generate: Callable[[Tensor], Tensor], mel: Tensor, block_frames: int, passes: int) -> Tensor:
    """Replace recorded frames by generated ones, all blocks at once, `passes` times.

    Pass p generates every block from the blocks of pass p - 1. So after p passes the first p blocks equal those of free
    running, and T / K - 1 passes are free running throughout. Later blocks have been through the network p times, as
    if it had run freely for p blocks from the recording, except that the older blocks of their context are generated
    too. So drift builds up over p blocks for the cost of p evaluations of the crop, instead of T / K - 1 in sequence.

    Args:
        generate: (B, T, M) past -> (B, T - K, M), every block but the first from the frames before it, by one step.
            It must use the same noise in every call, otherwise a pass does not continue the previous one.
        mel: (B, T, M) of the recording.
        block_frames: K.
        passes: at least 0; 0 returns the recording.

    Returns:
        (B, T, M) without gradient.
    """
    first, past = mel[:, :block_frames], mel
    with torch.no_grad():
        for _ in range(passes):
            past = torch.cat([first, generate(past).to(mel.dtype)], 1)
    return past
