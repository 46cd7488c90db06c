"""The prosody network: duration, energy and pitch of all phonemes of a breath group at once.

Shapes: B breath groups, P phonemes, Z timbre dimensions, D width. The heads are those of FastSpeech 2 (Ren et al. 2020,
arXiv 2006.04558), pitch and voicing at four knots per phoneme instead of one; the body is a ConvNeXt.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cmaudio.speech.features import KNOTS
from cmaudio.speech.sentences import COLUMNS

OUTPUTS = 2 + 2 * KNOTS  # log seconds, energy feature, pitch features, logits of being voiced
_DILATIONS = (1, 2, 4)
_KERNEL = 5
_USUAL_LOG_SECONDS = -2.6


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        reach = (_KERNEL - 1) // 2 * dilation
        self.depthwise = nn.Conv1d(width, width, _KERNEL, padding=reach, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x.transpose(1, 2)).transpose(1, 2))
        return x + self.dropout(self.narrow(F.gelu(self.widen(y))))


class ProsodyNetwork(nn.Module):
    """(B, P, 6) ids of `cmaudio.speech.sentences.prosody_ids`, (B, Z) timbre -> (B, P, 10).

    Outputs per phoneme: log seconds, energy, 4 x pitch, 4 x voicing logit. Conditioned on word boundaries, since it
    could not predict phrase-final lengthening otherwise, and on the kind of sentence and the way to its end, which
    reach further than the convolutions do. `mask` (B, P) is 0 for padding, which then acts like the zeros outside.
    """

    def __init__(
        self, *, symbols: int, timbre_dims: int, width: int = 192, depth: int = 6, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.timbre_dims = timbre_dims
        self.symbol, self.stress, self.start = (nn.Embedding(kinds, width) for kinds in (symbols, 3, 2))
        self.kind, self.place, self.left = (nn.Embedding(kinds, width) for kinds in COLUMNS)
        self.timbre = nn.Linear(timbre_dims, width)
        self.blocks = nn.ModuleList(_Block(width, _DILATIONS[i % len(_DILATIONS)], dropout) for i in range(depth))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, OUTPUTS)
        nn.init.zeros_(self.start.weight)  # stays zero for a corpus without word boundaries
        for table in self.tables:
            nn.init.zeros_(table.weight)
        nn.init.zeros_(self.out.weight)
        with torch.no_grad():
            self.out.bias.zero_()
            self.out.bias[0] = _USUAL_LOG_SECONDS

    @property
    def columns(self) -> int:
        """Number of ids per phoneme."""
        return 3 + len(self.tables)

    @property
    def tables(self) -> tuple[nn.Embedding, ...]:
        """The embeddings of the columns of a stretch."""
        return self.kind, self.place, self.left

    def unknown_columns(self) -> dict[str, Tensor]:
        """Weights by name that older networks, not conditioned on sentence types, lack."""
        names = ("kind", "place", "left")
        return {f"{name}.weight": torch.zeros_like(getattr(self, name).weight) for name in names}

    def forward(self, ids: Tensor, timbre: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.symbol(ids[..., 0]) + self.stress(ids[..., 1]) + self.start(ids[..., 2])
        x = x + sum(table(ids[..., 3 + i]) for i, table in enumerate(self.tables))
        x = x + self.timbre(timbre)[:, None]
        for block in self.blocks:
            x = block(x if mask is None else x * mask[..., None])
        return self.out(self.norm(x))
