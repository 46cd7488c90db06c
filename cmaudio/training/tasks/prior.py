"""Training the prior. Shapes: N frames, n of them with a window of W frames, M mel bands.

The loss has three terms:

* The median and the lasting spread maximise the likelihood of a Laplace distribution.
* The level is scored as well, since the errors of bands do not determine a note's loudness. To second order
  (trapezoidal rule), the difference of two levels is the sum of the bands' errors, each weighted by the mean of its
  shares of both powers. With the gradient of the exact level, the strongest band would compensate for all the others:
  a prior of textures trained that way carried the level in one band, 30 dB too high. With the shares of the recording
  alone, medians of noise became 1.4 dB too loud.
* The moving spread is fitted to the distance of a frame's deviation from the mean deviation of its neighbours.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cmaudio.training.config import PriorStage
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.corpus.frames import WINDOW, Frames, level
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.tasks.single_network import Optimisation, SingleNetworkTask
from cmaudio.training.tasks.task import Draws

_NEPERS_TO_DB = 20 / math.log(10)
_LEVEL_ABOVE = 1.5  # nepers above the floor, from which a frame's level is scored
_CENTRE = len(WINDOW) // 2


class PriorTask(SingleNetworkTask[PriorNetwork]):
    """`cmaudio.training.tasks.task.Task` for a prior."""

    name = "prior"

    def __init__(self, network: PriorNetwork, stage: PriorStage, statistics: MelStatistics, floor: float) -> None:
        rates = stage.learning_rate, stage.steps, stage.warmup_steps, stage.final_share
        super().__init__(network, Optimisation(*rates, stage.weight_decay))
        self.stage, self.statistics = stage, statistics
        self._audible = math.log(floor) + _LEVEL_ABOVE
        network.most.copy_(stage.most_db / _NEPERS_TO_DB / statistics.std)

    def loss(self, turn: str, batch: Frames, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        timbre = self.network.timbres(batch.timbre)
        median, lasting, moving = self.network(batch.controls, timbre)
        error = (batch.mel - median).abs()
        likelihood = (error / lasting + lasting.log()).mean()
        level_off = self._level_off(median, batch.mel)
        moved = self._moved(batch, timbre)
        spread = moving[: len(moved)]
        motion = (moved / spread + spread.log()).mean()
        loss = likelihood + self.stage.level_weight * level_off + self.stage.moving_weight * motion
        figures = {
            "loss": loss.detach(),
            "l1_db": (error.detach() * self.statistics.std).mean() * _NEPERS_TO_DB,
            "level_db": level_off.detach() * _NEPERS_TO_DB,
            "moving_db": (moved * self.statistics.std).mean() * _NEPERS_TO_DB,
        }
        return loss, figures

    def _level_off(self, median: Tensor, mel: Tensor) -> Tensor:
        """Difference of levels in nepers over audible frames: the errors of bands, weighted by their shares."""
        recorded, implied = (part * self.statistics.std + self.statistics.mean for part in (mel, median.detach()))
        shares = (torch.softmax(2 * recorded, -1) + torch.softmax(2 * implied, -1)) / 2
        off = (shares * (median - mel) * self.statistics.std).sum(-1).abs()
        audible = (level(recorded) > self._audible).float()
        return (off * audible).sum() / audible.sum().clamp(min=1)

    @torch.no_grad()
    def _moved(self, batch: Frames, timbre: Tensor) -> Tensor:
        """(n, M): distance of a frame's deviation from its median to the mean deviation of its neighbours."""
        near, valid = batch.near_controls, batch.heard[..., None]
        around = timbre[: near.shape[1]].expand(len(near), -1, -1)
        off = batch.near_mel - self.network(near, around)[0]
        return (off[_CENTRE] - (off * valid).sum(0) / valid.sum(0).clamp(min=1)).abs() * valid[_CENTRE]
