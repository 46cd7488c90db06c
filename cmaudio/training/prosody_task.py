r"""Training the prosody network. Shapes: B stretches, P phonemes.

Durations are scored by the gamma deviance, d / m - ln(d / m) - 1 (McCullagh and Nelder: "Generalized Linear Models",
1989, chapter 8): for small errors half the squared error of the logarithm, but least where m is the mean of d. The
squared error's own least, the mean of logarithms, is shorter, the more so the less certain durations are: a voice from
a small corpus spoke a tenth too fast.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cmaudio.speech.features import KNOTS
from cmaudio.training.config import SentenceStage
from cmaudio.training.data.prosody_targets import ProsodyTargets
from cmaudio.training.prosody_network import ProsodyNetwork
from cmaudio.training.sentence_task import SentenceTask
from cmaudio.training.task import Draws


class ProsodyTask(SentenceTask):
    """`cmaudio.training.task.Task` for a prosody network; `timbres` (speakers, Z) are those of the student."""

    name = "prosody"
    weight_decay = 1e-2

    def __init__(self, network: ProsodyNetwork, stage: SentenceStage, timbres: Tensor, frame_rate: float) -> None:
        super().__init__(network, stage)
        self.timbres, self.frame_rate = timbres.detach(), frame_rate

    def loss(self, turn: str, batch: ProsodyTargets, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        padding = batch.ids.new_ones(batch.ids.shape[:2]).where(batch.durations > 0, 0)
        made = self.network(batch.ids, self.timbres[batch.timbre], padding.float()).float()
        known = batch.scored & (batch.durations > 0)
        log_ratio = (batch.durations.clamp(min=0.5) / self.frame_rate).log() - made[..., 0]
        pitch, voicing = made[..., 2 : 2 + KNOTS], made[..., 2 + KNOTS :]
        voiced = batch.voiced * known[..., None]
        parts = {
            "duration": _mean(log_ratio.exp() - log_ratio - 1, known),
            "energy": _mean((made[..., 1] - batch.energy).square(), known),
            "pitch": _mean(F.smooth_l1_loss(pitch, batch.pitch, reduction="none", beta=0.1), voiced),
            "voicing": _mean(
                F.binary_cross_entropy_with_logits(voicing, batch.voiced, reduction="none"), known[..., None]
            ),
        }
        loss = torch.stack(list(parts.values())).sum()
        return loss, {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    weights = weights.float().expand_as(values)
    return (values * weights).sum() / weights.sum().clamp(min=1)
