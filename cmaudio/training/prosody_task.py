"""Training the prosody network. Shapes: B stretches, P phonemes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cmaudio.speech.features import KNOTS
from cmaudio.training.config import SentenceStage
from cmaudio.training.data.prosody_targets import ProsodyTargets
from cmaudio.training.prosody_network import ProsodyNetwork
from cmaudio.training.task import Draws


class ProsodyTask:
    """`cmaudio.training.task.Task` for a prosody network; `timbres` (speakers, Z) are those of the student."""

    turns = ("prosody",)

    def __init__(self, network: ProsodyNetwork, stage: SentenceStage, timbres: Tensor, frame_rate: float) -> None:
        self.network, self.stage, self.timbres, self.frame_rate = network, stage, timbres.detach(), frame_rate

    def modules(self) -> Mapping[str, nn.Module]:
        return {"prosody": self.network}

    def averaged(self) -> str:
        return "prosody"

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, self.stage.learning_rate, (0.9, 0.98), weight_decay=1e-2)

    def learning_rate(self, turn: str, progress: float) -> float:
        return self.stage.rate_at(progress)

    def gradient_norm(self, turn: str) -> float:
        return 1.0

    def draw(self, batch: ProsodyTargets, generator: torch.Generator, progress: float) -> Draws:
        return {}

    def loss(self, turn: str, batch: ProsodyTargets, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        padding = batch.ids.new_ones(batch.ids.shape[:2]).where(batch.durations > 0, 0)
        made = self.network(batch.ids, self.timbres[batch.timbre], padding.float()).float()
        known = batch.scored & (batch.durations > 0)
        seconds = (batch.durations.clamp(min=0.5) / self.frame_rate).log()
        pitch, voicing = made[..., 2 : 2 + KNOTS], made[..., 2 + KNOTS :]
        voiced = batch.voiced * known[..., None]
        parts = {
            "duration": _mean(F.smooth_l1_loss(made[..., 0], seconds, reduction="none"), known),
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
