"""The network of the source-filter vocoder: maps mel frames and pitch to filters for the excitation.

Shapes: B voices, T frames, M mel bands, D width, F STFT bins.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cmaudio.training.networks.layers import CausalConv, CausalDepthwiseConv, ConvNeXtBlock

DILATIONS = (1, 1, 2, 1, 4, 1, 2, 1)
REFERENCE_HZ = 220.0
VOICED_ABOVE_HZ = 8.0


class VocoderNetwork(nn.Module):
    """(B, T, M) normalised log-mel, (B, T) f0 in Hz (0 = unpitched), state -> (B, T, 5F) filters, state.

    The filters per bin, in order: log-magnitude and phase of H (on the harmonic source), log-gain N (on the noise),
    log-magnitude and phase of D (added directly): S = H E_harmonic + N E_noise + D. The causal ConvNeXt follows
    Vocos (Siuzdak 2023, arXiv 2306.00814); `cmaudio.signal.dsp.filter_excitation` turns filters into STFT bins.
    Its blocks take the `dilations` in turn.
    """

    def __init__(
        self,
        *,
        mel_bands: int = 128,
        bins: int = 1025,
        width: int = 384,
        depth: int = 8,
        dilations: Sequence[int] = DILATIONS,
    ) -> None:
        super().__init__()
        self.stem = CausalConv(mel_bands + 2, width, 7)
        self.stem_norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.ModuleList(ConvNeXtBlock(width, 7, dilations[i % len(dilations)]) for i in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.out = nn.Linear(width, 5 * bins)
        nn.init.normal_(self.out.weight, std=0.01)
        with (
            torch.no_grad()
        ):  # start near the level of music: harmonic at -9 dB, noise at -17 dB, direct part at -26 dB
            self.out.bias.zero_()
            for index, log_level in ((0, -1.0), (2, -2.0), (3, -3.0)):
                self.out.bias[index * bins : (index + 1) * bins] = log_level

    def init_state(self, batch: int) -> list[Tensor]:
        return [
            self.stem.init_state(batch),
            *(m.init_state(batch) for m in self.modules() if isinstance(m, CausalDepthwiseConv)),
        ]

    def forward(self, mel: Tensor, f0: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        voiced = f0 > VOICED_ABOVE_HZ
        octaves = torch.where(voiced, torch.log2(f0.clamp(min=VOICED_ABOVE_HZ) / REFERENCE_HZ), torch.zeros_like(f0))
        x = torch.cat([mel, octaves[..., None], voiced[..., None].to(mel.dtype)], -1)
        x, stem_state = self.stem(x, state[0])
        x = self.stem_norm(x)
        new_state = [stem_state]
        for block, block_state in zip(self.blocks, state[1:], strict=True):
            x, block_state = block(x, block_state)
            new_state.append(block_state)
        return self.out(self.norm(x)), new_state
