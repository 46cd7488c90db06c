"""The prior: predicts the median and spread of a frame from its controls alone.

Shapes: B clips or voices, T frames, M mel bands, C control channels, Z timbre dimensions, D width.
It has no memory, so it can neither drift nor depend on a seed; the consistency network samples the residual.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEAST_LASTING, _LEAST_MOVING = 0.05, 0.01  # of normalised log-mel
_START = 0.5  # of a spread


class PriorNetwork(nn.Module):
    """Controls (B, T, C), timbre (B, T, Z) -> median, lasting spread and moving spread of the frame, (B, T, M) each.

    The lasting spread is the distance of recordings from the median, whatever its cause. The moving spread is that of
    their fluctuation about their own mean over half a second, which is the part that is sampled. Its output layer reads
    the hidden layers without training them. It is at most `most` (M,): in bands that are either present or absent,
    samples would burst.
    """

    def __init__(
        self, *, controls: int, timbres: int, timbre_dims: int = 32, bands: int = 128, width: int = 384, depth: int = 6
    ) -> None:
        super().__init__()
        self.control_width, self.bands = controls, bands
        self.timbres = nn.Embedding(timbres, timbre_dims)
        self.stem = nn.Linear(controls + timbre_dims, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, 2 * bands)
        self.moving = nn.Linear(width, bands)
        self.most: Tensor
        self.register_buffer("most", torch.full((bands,), torch.inf))

    def forward(self, controls: Tensor, timbre: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y = self.stem(torch.cat([controls, timbre], -1))
        for block in self.blocks:
            y = y + block(y)
        y = self.norm(y)
        median, lasting = self.out(y).float().chunk(2, -1)
        moving = torch.minimum(_LEAST_MOVING + F.softplus(self.moving(y.detach()).float() - 2), self.most)
        return median, _LEAST_LASTING + F.softplus(lasting - _START), moving
