"""Training a small vocoder to reproduce the filters of a larger, trained one (Hinton et al. 2015, arXiv 1503.02531).

Regression on filters needs neither audio nor discriminators, so a step costs little more than one pass of each network,
and the student inherits what the teacher learned from its discriminators.

Shapes: B clips, T frames, F STFT bins.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cmaudio.signal.dsp import VOICED_ABOVE_HZ
from cmaudio.synthesis.block_vocoder import used_bins
from cmaudio.training.config import VocoderSettings
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clip import Signal
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.tasks.single_network import Optimisation, SingleNetworkTask
from cmaudio.training.tasks.task import Draws

_MASKED_NEPERS = math.log(100)  # a part 40 dB below the sum of all parts in its bin is inaudible
_BELOW_FLOOR_NEPERS = 3.0  # also inaudible: so far below the floor of the mel spectrogram
_NEPERS_TO_DB = 20 / math.log(10)


class VocoderDistillation(SingleNetworkTask[VocoderNetwork]):
    """`cmaudio.training.tasks.task.Task` for a vocoder that learns another one's filters.

    Args:
        vocoder: to train.
        teacher: trained; it stays as it is.
        signal: of the corpus.
        settings: optimisation; its losses are not used.
        steps: of the stage.
        gradient_norm: largest norm of a gradient.
    """

    name = "vocoder"

    def __init__(
        self,
        vocoder: VocoderNetwork,
        teacher: VocoderNetwork,
        signal: Signal,
        settings: VocoderSettings,
        *,
        steps: int,
        gradient_norm: float = 10.0,
    ) -> None:
        rates = settings.learning_rate, steps, settings.warmup_steps, settings.final_share
        super().__init__(vocoder, Optimisation(*rates, settings.weight_decay, settings.betas, gradient_norm))
        self.teacher = teacher.eval().requires_grad_(False)
        self._bins = used_bins(signal.stft)
        # Of a bin as loud as the floor: a mel band is the sum of magnitudes under a triangle of unit area in Hz.
        floor = math.log(signal.mel.floor * signal.sample_rate / signal.stft.n_fft)
        self._inaudible = floor - _BELOW_FLOOR_NEPERS

    def loss(self, turn: str, batch: Batch, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.no_grad():
            wanted = self._filters(self.teacher, batch)
        levels, phases = self._distances(self._filters(self.network, batch), wanted, batch.f0 > VOICED_ABOVE_HZ)
        scored = batch.scored.float()
        level, phase = ((x.mean(-1) * scored).sum() / scored.sum().clamp(min=1) for x in (levels, phases))
        loss = level + phase
        metrics = {"loss": loss, "level_db": level * _NEPERS_TO_DB / 3, "phase": phase / 2}
        return loss, {name: x.detach() for name, x in metrics.items()}

    def _filters(self, network: VocoderNetwork, batch: Batch) -> Tensor:
        """(5, B, T, F): log-magnitude and phase of H, log-gain N, log-magnitude and phase of D, of the bins played."""
        filters, _ = network(batch.mel, batch.f0, network.init_state(len(batch.mel)))
        return filters.float().unflatten(-1, (5, -1))[..., : self._bins].movedim(-2, 0)

    def _distances(self, made: Tensor, wanted: Tensor, voiced: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, F) distances of the three levels in nepers, and of the two phases in radians, each summed.

        A pulse train, noise and the direct part are equally loud at equal filters. H is not scored without pitch.
        """
        levels, phases = (0, 2, 3), (1, 4)
        parts = wanted[levels, ...]
        parts = torch.stack([parts[0].masked_fill(~voiced[..., None], -torch.inf), *parts[1:]])
        loudest = 0.5 * torch.logsumexp(2 * parts, 0)
        masked = (loudest - _MASKED_NEPERS).clamp(min=self._inaudible)
        level = (torch.maximum(made[levels, ...], masked) - torch.maximum(parts, masked)).abs()
        share = torch.exp(parts[[0, 2]] - torch.maximum(loudest, masked + _MASKED_NEPERS))
        phase = share * (made[phases, ...] - wanted[phases, ...]).abs()
        pitched = voiced[..., None].float()
        return level[0] * pitched + level[1] + level[2], phase.sum(0)
