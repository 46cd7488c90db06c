"""The aligner, which learns without labels to which phoneme each frame belongs.

Badlani et al.: "One TTS Alignment To Rule Them All" (2021, arXiv 2108.10447).

Shapes: B utterances, T frames, P phonemes, M mel bands, D width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SCALE = 0.09  # of the squared distances, about 1 / sqrt(width): the paper's 0.0005 takes many more steps
_BLANK_LOGIT = -1.0


class AlignerNetwork(nn.Module):
    """Log-probability of every phoneme for every frame, from the distance of their encodings."""

    def __init__(self, *, mel_bands: int, symbols: int, width: int = 128) -> None:
        super().__init__()
        self.symbol, self.stress = nn.Embedding(symbols, width), nn.Embedding(3, width)
        self.text = nn.Sequential(nn.Conv1d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.Conv1d(2 * width, width, 1))
        self.sound = nn.Sequential(
            nn.Conv1d(mel_bands, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(2 * width, width, 1),
            nn.ReLU(),
            nn.Conv1d(width, width, 1),
        )

    def forward(self, mel: Tensor, ids: Tensor, phonemes: Tensor) -> Tensor:
        """(B, T, M) mel, (B, P, 3) ids, (B,) numbers of phonemes -> (B, T, P) logits, -inf for padding."""
        keys = self.text((self.symbol(ids[..., 0]) + self.stress(ids[..., 1])).transpose(1, 2)).transpose(1, 2)
        queries = self.sound(mel.transpose(1, 2)).transpose(1, 2)
        logits = -_SCALE * torch.cdist(queries.float(), keys.float()).square()
        padding = torch.arange(ids.shape[1], device=ids.device) >= phonemes[:, None]
        return logits.masked_fill(padding[:, None], -torch.inf)


def diagonal_prior(frames: int, phonemes: int) -> Tensor:
    """(T, P) log of the beta-binomial prior: speech progresses at a roughly even pace (the paper, section 2.2)."""
    t = torch.arange(1, frames + 1, dtype=torch.float64)[:, None]
    k = torch.arange(phonemes, dtype=torch.float64)
    n = torch.tensor(phonemes - 1, dtype=torch.float64)
    a, b = t, frames + 1 - t
    choose = torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
    above = torch.lgamma(k + a) + torch.lgamma(n - k + b) - torch.lgamma(n + a + b)
    below = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
    return (choose + above - below).float()


def forward_sum_loss(log_probability: Tensor, frames: Tensor, phonemes: Tensor) -> Tensor:
    """Negative log-probability of all monotone alignments together (the paper, equation 4), by CTC.

    (B, T, P) logits with the prior; each phoneme is a separate class, in order, and the blank is improbable.
    """
    count = log_probability.shape[-1]
    with_blank = F.pad(log_probability, (1, 0), value=_BLANK_LOGIT)
    classes = F.log_softmax(with_blank, -1).transpose(0, 1).clamp(min=-1e4)
    targets = torch.arange(1, count + 1, device=phonemes.device).expand(len(phonemes), -1)
    return F.ctc_loss(classes, targets, frames, phonemes, zero_infinity=True)
