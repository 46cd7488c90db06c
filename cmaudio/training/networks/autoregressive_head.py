"""A head that samples a residual as autoregressive noise and a learned correction.

Shapes: B voices, K frames of a block, M mel bands, E conditioning width, D context width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cmaudio.training.networks.consistency import BlockHead, precondition
from cmaudio.training.networks.prior import MOST

_INNOVATION, _MEMORY = -0.5, 0.8  # initially: noise of 0.47 spreads, 0.69 of the previous frame


class AutoregressiveHead(BlockHead):
    """As `BlockHead`; in a band, frame t is a_t times frame t - 1, plus g_t times its noise, plus a correction m_t.

    The network outputs a, g and m of every band and frame. Frame -1 is the last frame of the context, so the boundary
    between two blocks is like any other pair of frames. Initially it samples noise with the correlation of recordings;
    it then learns what this noise lacks.
    """

    outputs_per_band = 3
    most = MOST  # the largest sample, in moving spreads

    def forward(self, x: Tensor, sigma: Tensor, context: Tensor, c: Tensor) -> Tensor:
        c_skip, c_out, c_in = precondition(sigma[:, None, None], self.sigma_min, self.sigma_data)
        noise = c_in * x
        correction, innovation, memory = self.hidden(noise, sigma, context, c).float().chunk(3, -1)
        innovation, memory = F.softplus(innovation + _INNOVATION), torch.sigmoid(memory + _MEMORY)
        fresh = correction + innovation * noise
        frame, frames = context[:, self.width : self.width + x.shape[-1]].float(), []
        for t in range(self.block_frames):
            frame = (memory[:, t] * frame + fresh[:, t]).clamp(-self.most, self.most)
            frames.append(frame)
        return c_skip * x + c_out * torch.stack(frames, 1)
