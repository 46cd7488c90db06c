"""The prior: predicts the median and spread of a frame from its controls alone.

Shapes: B clips or voices, T frames, M mel bands, C control channels, Z timbre dimensions, D width.
It has no memory, so it can neither drift nor depend on a seed; the consistency network samples the residual.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Residuals are clipped at this many moving spreads. A larger one is a note that the prior does not predict well;
# sampled as often as recorded, such residuals become bursts: clipped at 6 spreads, the loudness of a note varied by
# 2.2 dB between seeds; clipped at 2, by 0.9.
MOST = 2.5
_LEAST_LASTING, _LEAST_MOVING = 0.05, 0.01  # of normalised log-mel
_START = 0.5  # of a spread
# Of the "note-2" features: column, its unit, and periods of sines in that unit. A small MLP fits smooth functions of
# its inputs first; sines let it fit zones of keys and velocities, and the time course of an attack.
# A period shorter than the spacing of the recordings would leave the values between them undetermined.
_PITCH = (3, 24.0, (3.0, 6.0, 12.0, 18.0, 24.0))
_VELOCITY = (4, 64.0, (32.0, 128.0))
_HELD = (16, 1.0, (0.1, 0.2, 0.4, 0.8))
_RELEASED = (17, 1.0, (0.1, 0.2, 0.4, 0.8))
_CONSTANT = (_PITCH, _VELOCITY)  # during a note
_CLOCKS = (_HELD[0], _RELEASED[0])
# One second, in the unit of the two clocks. Most notes of a corpus end after a few seconds, and sines of longer times
# made the level of a note that was held for a minute change by up to 38 dB.
_WAVES_END = math.log1p(20.0) / 4
_STEM = "stem.weight"


class PriorNetwork(nn.Module):
    """Controls (B, T, C), timbre (B, T, Z) -> median, lasting spread and moving spread of the frame, (B, T, M) each.

    The lasting spread is the distance of recordings from the median, whatever its cause. The moving spread is that of
    their fluctuation about their own mean over half a second, which is the part that is sampled. Its output layer reads
    the hidden layers without training them. It is at most `most` (M,): in bands that are either present or absent,
    samples would become bursts.

    With `modulation` > 0, a layer of that width reads what is constant during a note (timbre, key, velocity) and
    scales and shifts every block, and the stem also reads sines of key, velocity and, for one second, time.
    """

    def __init__(
        self,
        *,
        controls: int,
        timbres: int,
        timbre_dims: int = 32,
        bands: int = 128,
        width: int = 384,
        depth: int = 6,
        modulation: int = 0,
    ) -> None:
        super().__init__()
        self.control_width, self.bands = controls, bands
        self.timbres = nn.Embedding(timbres, timbre_dims)
        more = sum(2 * len(periods) for *_, periods in (*_CONSTANT, _HELD, _RELEASED)) if modulation else 0
        self.stem = nn.Linear(controls + timbre_dims + more, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, 2 * bands)
        self.moving = nn.Linear(width, bands)
        self.note = NoteModulation(timbre_dims, modulation, width, depth) if modulation else None
        self.most: Tensor
        self.register_buffer("most", torch.full((bands,), torch.inf))

    def forward(self, controls: Tensor, timbre: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y = self._hidden(controls, timbre)
        median, lasting = self.out(y).float().chunk(2, -1)
        moving = torch.minimum(_LEAST_MOVING + F.softplus(self.moving(y.detach()).float() - 2), self.most)
        return median, _LEAST_LASTING + F.softplus(lasting - _START), moving

    def _hidden(self, controls: Tensor, timbre: Tensor) -> Tensor:
        if self.note is None:
            y = self.stem(torch.cat([controls, timbre], -1))
            for block in self.blocks:
                y = y + block(y)
            return self.norm(y)
        constant, moving = waves(controls, *_CONSTANT), waves(controls, _HELD, _RELEASED)
        y = self.stem(torch.cat([controls, timbre, constant, moving], -1))
        parts = self.note(torch.cat([timbre, controls[..., 3:5], constant], -1))
        for block, (scale, shift) in zip(self.blocks, parts, strict=True):
            norm, *rest = block.children()
            z = norm(y) * (1 + scale) + shift
            for layer in rest:
                z = layer(z)
            y = y + z
        return self.norm(y)

    def widened(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of a prior without modulation, extended for this one: initially the same function."""
        tensors = dict(tensors)
        if self.note is None or "note.read.weight" in tensors or _STEM not in tensors:
            return tensors
        known = tensors[_STEM]
        more = self.stem.in_features - known.shape[1]
        tensors[_STEM] = torch.cat([known, known.new_zeros(len(known), more)], 1)
        return tensors | {f"note.{name}": tensor for name, tensor in self.note.state_dict().items()}


class NoteModulation(nn.Module):
    """Scale and shift of every block from timbre, key and velocity; zero at the start, so blocks begin unmodulated."""

    def __init__(self, timbre_dims: int, modulation: int, width: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        inputs = timbre_dims + len(_CONSTANT) + sum(2 * len(periods) for *_, periods in _CONSTANT)
        self.read = nn.Linear(inputs, modulation)
        self.blocks = nn.Linear(modulation, 2 * depth * width)
        nn.init.zeros_(self.blocks.weight)
        nn.init.zeros_(self.blocks.bias)

    def forward(self, note: Tensor) -> list[tuple[Tensor, Tensor]]:
        parts = self.blocks(F.silu(self.read(note))).chunk(2 * self.depth, -1)
        return list(zip(parts[::2], parts[1::2], strict=True))


def waves(controls: Tensor, *features: tuple[int, float, tuple[float, ...]]) -> Tensor:
    """(B, T, C) -> sines and cosines of some columns, all periods of a column in sequence; clocks stop at 1 s."""
    parts = []
    for column, unit, periods in features:
        rates = torch.tensor([2 * math.pi * unit / period for period in periods], device=controls.device)
        value = controls[..., column : column + 1].float()
        phase = (value.clamp(max=_WAVES_END) if column in _CLOCKS else value) * rates
        parts += [phase.sin(), phase.cos()]
    return torch.cat(parts, -1)
