"""The consistency network: a causal encoder of past frames, and a head that denoises the next block.

Shapes: B voices, T frames, K frames of one block, M mel bands, C control channels, Z timbre dimensions,
D width, E conditioning width. Frames are normalised log-mel (zero mean, unit variance per band).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cmaudio.speech.features import COLUMNS, ID_COLUMNS
from cmaudio.training.networks.layers import (
    BlockDepthwiseConv,
    CausalConv,
    CausalDepthwiseConv,
    ModulatedMlp,
    Modulation,
    NoiseLevelEmbedding,
)

_PHONEME_DIMS = 32


def precondition(sigma: Tensor, sigma_min: float, sigma_data: float) -> tuple[Tensor, Tensor, Tensor]:
    """c_skip, c_out, c_in that make f(x, sigma_min) = x (Song et al. 2023, arXiv 2303.01469, appendix C)."""
    c_skip: Tensor = sigma_data**2 / ((sigma - sigma_min) ** 2 + sigma_data**2)
    c_out = (sigma - sigma_min) * sigma_data / (sigma**2 + sigma_data**2).sqrt()
    c_in = 1 / (sigma**2 + sigma_data**2).sqrt()
    return c_skip, c_out, c_in


class ControlEncoder(nn.Module):
    """Maps control channels and a timbre to a conditioning vector per frame: (B, T, C), (B, T, Z) -> (B, T, E)."""

    def __init__(self, controls: int, timbre: int, conditioning: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.control_width, self.width = controls, conditioning
        self.mlp = nn.Sequential(
            nn.Linear(controls + timbre, conditioning), nn.SiLU(), nn.Linear(conditioning, conditioning)
        )

    def forward(self, controls: Tensor, timbre: Tensor) -> Tensor:
        return self.dropout(self.mlp(torch.cat([controls, timbre], -1)))


class PhonemeControlEncoder(ControlEncoder):
    """A control encoder that embeds the columns that are phoneme indices.

    (B, T, C), (B, T, Z) -> (B, T, E); C counts the indices.
    """

    def __init__(self, controls: int, timbre: int, conditioning: int, dropout: float, symbols: int) -> None:
        super().__init__(controls + len(ID_COLUMNS) * (_PHONEME_DIMS - 1), timbre, conditioning, dropout)
        self.control_width, self.timbre_dims = controls, timbre
        self.others = [column for column in range(controls) if column not in ID_COLUMNS]
        self.symbols = nn.Embedding(symbols, _PHONEME_DIMS)

    def forward(self, controls: Tensor, timbre: Tensor) -> Tensor:
        phonemes = self.symbols(controls[..., list(ID_COLUMNS)].long()).flatten(-2)
        return self.dropout(self.mlp(torch.cat([phonemes, controls[..., self.others], timbre], -1)))

    def widened(self, weight: Tensor) -> Tensor:
        """`mlp.0.weight` of a "speech-1" encoder, extended for this one: new input columns are zero-initialised.

        A weight of any other shape is returned unchanged.
        """
        near, new = COLUMNS["speech-1"], COLUMNS["speech-2"] - COLUMNS["speech-1"]
        ids = [column < near for column in ID_COLUMNS for _ in range(_PHONEME_DIMS)]
        others = [column < near or column >= near + new for column in self.others]
        old = torch.tensor([*ids, *others, *[True] * self.timbre_dims])
        if weight.shape[1] != int(old.sum()):
            return weight
        wide = weight.new_zeros(len(weight), len(old))
        wide[:, old] = weight
        return wide


class ContextEncoder(nn.Module):
    """Reads every finished frame once; its output summarises the past for the head.

    (B, T, M) noised frames, (B, T, E) their conditioning, (B,) noise level, state
    -> (B, T, D + 2M): the encoding joined with the frame itself and the one before it; state.
    """

    def __init__(
        self,
        mel_bands: int,
        width: int,
        depth: int,
        conditioning: int,
        sigma: NoiseLevelEmbedding,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.mel_bands = mel_bands
        self.dropout = nn.Dropout(dropout)
        self.sigma = sigma
        self.sigma_linear = nn.Linear(conditioning, conditioning)
        self.stem = CausalConv(mel_bands, width, 3)
        self.modulation = Modulation(conditioning, width, depth)
        self.convs = nn.ModuleList(CausalDepthwiseConv(width, 5, 2 ** (i % 4)) for i in range(depth))
        self.mlps = nn.ModuleList(ModulatedMlp(width) for _ in range(depth))

    def init_state(self, batch: int) -> list[Tensor]:
        return [
            self.stem.init_state(batch),
            *(m.init_state(batch) for m in self.modules() if isinstance(m, CausalDepthwiseConv)),
        ]

    def forward(self, frames: Tensor, c: Tensor, sigma: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        before = torch.cat([state[0][:, -1:], frames[:, :-1]], 1)
        x, stem_state = self.stem(frames, state[0])
        e = F.silu(c + self.sigma_linear(self.sigma(sigma)[:, None]))
        new_state = [stem_state]
        layers = zip(self.convs, self.mlps, self.modulation(e), state[1:], strict=True)
        for conv, mlp, modulation, conv_state in layers:
            y, conv_state = conv(x, conv_state)
            new_state.append(conv_state)
            x = x + self.dropout(mlp(y, modulation))
        return torch.cat([x, frames, before], -1), new_state


class BlockHead(nn.Module):
    """D(x, sigma): one evaluation maps a block at noise level sigma to clean frames.

    (B, K, M) noisy block, (B,) sigma, (B, D + 2M) context of the last frame, (B, K, E) conditioning -> (B, K, M).
    """

    outputs_per_band = 1

    def __init__(
        self,
        mel_bands: int,
        block_frames: int,
        width: int,
        depth: int,
        conditioning: int,
        sigma: NoiseLevelEmbedding,
        sigma_min: float,
        sigma_data: float,
    ) -> None:
        super().__init__()
        self.block_frames, self.width = block_frames, width
        self.sigma_min, self.sigma_data = sigma_min, sigma_data
        self.sigma = sigma
        self.bridge = nn.Linear(width + 2 * mel_bands, block_frames * width)
        self.stem = nn.Linear(mel_bands, width)
        self.modulation = Modulation(conditioning, width, depth)
        self.convs = nn.ModuleList(BlockDepthwiseConv(width, block_frames) for _ in range(depth))
        self.mlps = nn.ModuleList(ModulatedMlp(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, self.outputs_per_band * mel_bands)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, sigma: Tensor, context: Tensor, c: Tensor) -> Tensor:
        c_skip, c_out, c_in = precondition(sigma[:, None, None], self.sigma_min, self.sigma_data)
        return c_skip * x + c_out * self.hidden(c_in * x, sigma, context, c).float()

    def hidden(self, noise: Tensor, sigma: Tensor, context: Tensor, c: Tensor) -> Tensor:
        """The output layer, before preconditioning; `noise` (B, K, M) is the noisy block at unit variance."""
        y = self.stem(noise) + self.bridge(context).reshape(-1, self.block_frames, self.width)
        e = F.silu(self.sigma(sigma)[:, None] + c)
        for conv, mlp, modulation in zip(self.convs, self.mlps, self.modulation(e), strict=True):
            y = y + mlp(conv(y), modulation)
        out: Tensor = self.out(self.norm(y))
        return out


class ConsistencyNetwork(nn.Module):
    """Encoders, head, and the table of learned timbres; `sigma_data` is 1 because frames are normalised.

    `dropout` acts on the conditioning, not in the head, so that samples that are compared differ only in noise.
    With `symbols` > 0 the controls are those of text with that many phonemes.
    """

    def __init__(
        self,
        *,
        mel_bands: int = 128,
        block_frames: int = 4,
        controls: int = 144,
        timbres: int = 128,
        timbre_dims: int = 32,
        width: int = 256,
        context_depth: int = 6,
        head_depth: int = 6,
        conditioning: int = 256,
        sigma_min: float = 0.002,
        sigma_data: float = 1.0,
        dropout: float = 0.0,
        symbols: int = 0,
        head: type[BlockHead] = BlockHead,
    ) -> None:
        super().__init__()
        sigma = NoiseLevelEmbedding(conditioning)
        self.timbres = nn.Embedding(timbres, timbre_dims)
        self.control_encoder = (
            PhonemeControlEncoder(controls, timbre_dims, conditioning, dropout, symbols)
            if symbols
            else ControlEncoder(controls, timbre_dims, conditioning, dropout)
        )
        self.context_encoder = ContextEncoder(mel_bands, width, context_depth, conditioning, sigma, dropout)
        self.head = head(mel_bands, block_frames, width, head_depth, conditioning, sigma, sigma_min, sigma_data)
