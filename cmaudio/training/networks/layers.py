"""Streaming building blocks: channels-last ConvNeXt blocks and causal convolutions with explicit state.

Shapes: B voices, T frames, D channels, P frames of carried past, E conditioning width.
Every causal layer is used as `y, state = layer(x, ..., state)`; `init_state` returns the state of a silent past,
so one long call and many short ones give the same numbers.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalConv(nn.Module):
    """Causal convolution over frames, as one matrix product over the last `kernel` frames.

    (B, T, in_width), (B, P, in_width) -> (B, T, out_width), (B, P, in_width), P = kernel - 1.
    """

    def __init__(self, in_width: int, out_width: int, kernel: int) -> None:
        super().__init__()
        self.linear = nn.Linear(kernel * in_width, out_width)
        self.in_width, self.kernel, self.past_frames = in_width, kernel, kernel - 1

    def init_state(self, batch: int) -> Tensor:
        return self.linear.weight.new_zeros(batch, self.past_frames, self.in_width)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        frames = x.shape[1]
        x = torch.cat([state, x], 1)
        unfolded = torch.cat([x[:, j : j + frames] for j in range(self.kernel)], -1)
        return self.linear(unfolded), x[:, -self.past_frames :]


class CausalDepthwiseConv(nn.Module):
    """Depthwise causal convolution, channels last, as a weighted sum over a window of frames.

    (B, T, D), (B, P, D) -> (B, T, D), (B, P, D), P = (kernel - 1) * dilation. Exported it gathers windows: over the few
    frames of a block that takes ONNX Runtime a fifth of the time of a grouped Conv. In training it is a sum of shifted
    copies, whose backward pass needs no scatter and which torch.compile fuses.
    """

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(kernel, width) / math.sqrt(kernel))
        self.bias = nn.Parameter(torch.zeros(width))
        self.dilation = dilation
        self.past_frames = (kernel - 1) * dilation

    def init_state(self, batch: int) -> Tensor:
        return self.weight.new_zeros(batch, self.past_frames, self.weight.shape[1])

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        count = x.shape[1]
        if torch.onnx.is_in_onnx_export():
            frames = torch.arange(count, device=x.device)
            taps = torch.arange(len(self.weight), device=x.device) * self.dilation
            x = torch.cat([state, x], 1)
            y = (x[:, frames[:, None] + taps] * self.weight).sum(2) + self.bias
        else:
            x = torch.cat([state, x], 1)
            y = self.bias
            for tap, weight in enumerate(self.weight):
                y = torch.addcmul(y, x[:, tap * self.dilation :][:, :count], weight)
        return y, x[:, -self.past_frames :]


class BlockDepthwiseConv(nn.Module):
    """Depthwise convolution over all K frames of a block at once, zero outside it: (B, K, D) -> (B, K, D).

    The kernel has 2K - 1 taps, so every frame depends on every other: y_t = b + sum_s w_{s-t+K-1} x_s.
    """

    def __init__(self, width: int, block_frames: int) -> None:
        super().__init__()
        kernel = 2 * block_frames - 1
        self.weight = nn.Parameter(torch.randn(kernel, width) / math.sqrt(kernel))
        self.bias = nn.Parameter(torch.zeros(width))
        frame = torch.arange(block_frames)
        self.taps: Tensor
        self.register_buffer("taps", frame - frame[:, None] + block_frames - 1, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return (x[:, None] * self.weight[self.taps]).sum(2) + self.bias
        # One product per frame of the block: (K, B, D) x its K taps, without gathering weights for the backward pass.
        k = x.shape[1]
        rows = [(x * self.weight[k - 1 - t : 2 * k - 1 - t]).sum(1) for t in range(k)]
        return torch.stack(rows, 1) + self.bias


class Mlp(nn.Module):
    """The pointwise half of a ConvNeXt block: widen by three, GELU (tanh form), narrow; (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widen = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(F.gelu(self.widen(x), approximate="tanh"))


class ConvNeXtBlock(nn.Module):
    """Causal ConvNeXt block with a residual scale (Liu et al. 2022, arXiv 2201.03545; as in Vocos, 2306.00814)."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.depthwise = CausalDepthwiseConv(width, kernel, dilation)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)
        self.scale = nn.Parameter(torch.full((width,), 0.2))

    def init_state(self, batch: int) -> Tensor:
        return self.depthwise.init_state(batch)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, state = self.depthwise(x, state)
        return x + self.scale * self.mlp(self.norm(y)), state


class Modulation(nn.Module):
    """Scale, shift and gate of all blocks of a stack from one product: (B, T, E) -> `depth` triples of (B, T, D).

    Adaptive layer norm (Peebles and Xie 2023, arXiv 2212.09748), zero at the start: every block begins as identity.
    """

    def __init__(self, conditioning: int, width: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.linear = nn.Linear(conditioning, 3 * depth * width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, e: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        parts = self.linear(e).chunk(3 * self.depth, -1)
        return [(parts[i], parts[i + 1], parts[i + 2]) for i in range(0, len(parts), 3)]


class ModulatedMlp(nn.Module):
    """Layer norm, modulated, then the MLP with a gate: (B, T, D) and a triple of (B, T, D) -> (B, T, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.mlp = Mlp(width)

    def forward(self, y: Tensor, modulation: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        scale, shift, gate = modulation
        return gate * self.mlp(self.norm(y) * (1 + scale) + shift)


class NoiseLevelEmbedding(nn.Module):
    """ln(sigma) / 4 (Karras et al. 2022, arXiv 2206.00364, table 1) as sinusoids, then an MLP; (B,) -> (B, E)."""

    def __init__(self, conditioning: int) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, math.log(1000), 32)))
        self.mlp = nn.Sequential(nn.Linear(64, conditioning), nn.SiLU(), nn.Linear(conditioning, conditioning))

    def forward(self, sigma: Tensor) -> Tensor:
        phase = (sigma.log() / 4)[..., None] * self.frequencies
        return self.mlp(torch.cat([phase.sin(), phase.cos()], -1))
