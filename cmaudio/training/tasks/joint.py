"""Joint training of student and vocoder, which adapts the mels between them to the sound.

One-step generation gives the mean of all outcomes, and a vocoder alone restores texture, but not detail that the mean
has blurred. Here the discriminators' gradient also reaches the student, as in consistency trajectory models
(Kim et al. 2023, arXiv 2310.02279) and in joint training of text-to-speech (Lim et al. 2022, JETS, arXiv 2203.16852).
The student's context is its own output, so that the judged sound is that of free running.

Shapes: B clips, T frames, N = T * hop_length samples, K frames of a block, M mel bands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.config import ConsistencyStage, JointStage
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clip import Signal
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.discriminators import Discriminators
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.tasks.consistency import Conditioned, ConsistencyTask, one_step
from cmaudio.training.tasks.generated_mels import without_context
from cmaudio.training.tasks.rollout import rollout
from cmaudio.training.tasks.task import Draws
from cmaudio.training.tasks.vocoder import VocoderTask


class JointNetworks(nn.Module):
    """Student and vocoder; saved and averaged as one module."""

    def __init__(self, network: ConsistencyNetwork, vocoder: VocoderNetwork) -> None:
        super().__init__()
        self.network, self.vocoder = network, vocoder


class JointTask:
    """`cmaudio.training.tasks.task.Task` for both networks against discriminators.

    The first `generated_share` of the clips pass through both networks. On the others each is trained as before, the
    vocoder on recorded mels and the student by the stage's objective, which keeps the interface between them a mel
    spectrogram and the student's other noise levels intact.

    Takes crops that are CONTEXT_FRAMES longer than the stage's, for the student's past.
    """

    turns = ("discriminators", "voice")

    def __init__(
        self,
        network: ConsistencyNetwork,
        vocoder: VocoderNetwork,
        stage: JointStage,
        signal: Signal,
        sigma: NoiseLevels,
        *,
        compiled: bool = False,
    ) -> None:
        self.stage, self.signal, self.sigma = stage, signal, sigma
        self.voice = JointNetworks(network, vocoder)
        self._conditioned = Conditioned(network, compiled)
        settings = ConsistencyStage(objective=stage.objective, steps=stage.steps, crops=stage.crops)
        self._student = ConsistencyTask(network, settings, sigma, compiled=compiled)
        self._vocoder = VocoderTask(
            vocoder,
            signal,
            stage.losses,
            steps=stage.steps,
            warm_up_frames=stage.crops.warm_up_frames,
            gradient_norm=stage.gradient_norm,
            compiled=compiled,
        )

    @property
    def discriminators(self) -> Discriminators:
        return self._vocoder.discriminators

    def modules(self) -> Mapping[str, nn.Module]:
        return {"voice": self.voice, "discriminators": self.discriminators}

    def averaged(self) -> str:
        return "voice"

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        return self._vocoder.optimiser(_vocoders(turn), parameters)

    def learning_rate(self, turn: str, progress: float) -> float:
        return self._vocoder.learning_rate(_vocoders(turn), progress)

    def gradient_norm(self, turn: str) -> float:
        return self.stage.gradient_norm

    def draw(self, batch: Batch, generator: torch.Generator, progress: float) -> Draws:
        own, kept = self._parts(batch)
        k, device = self.voice.network.head.block_frames, batch.mel.device
        clips, frames, bands = own.mel.shape
        blocks = (clips * (frames // k - 1), k, bands)
        draws = {
            "joint_block_noise": torch.randn(blocks, generator=generator, device=device),
            "joint_context_noise": torch.randn(own.mel.shape, generator=generator, device=device),
            **self._vocoder.draw(self._cut(batch), generator, progress),
        }
        return draws | dict(self._student.draw(kept, generator, progress) if len(kept.mel) else {})

    def loss(self, turn: str, batch: Batch, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        own, kept = self._parts(batch)
        with torch.set_grad_enabled(turn == "voice"):
            mel = torch.cat([self._made(own, draws), kept.mel])
        loss, metrics = self._vocoder.loss(_vocoders(turn), self._cut(replace(batch, mel=mel)), draws, progress)
        if turn == "voice" and len(kept.mel):
            student, _ = self._student.loss("network", kept, draws, progress)
            loss = loss + self.stage.objective_weight * student
            metrics = metrics | {"loss": loss.detach(), "student": student.detach()}
        return loss, metrics

    def _parts(self, batch: Batch) -> tuple[Batch, Batch]:
        """The clips that pass through both networks, and the others; their order is random."""
        count = max(1, round(self.stage.generated_share * len(batch.mel)))
        fields = vars(batch)
        own, kept = ({key: value[part] for key, value in fields.items()} for part in (slice(count), slice(count, None)))
        return Batch(**own), Batch(**kept)

    def _made(self, batch: Batch, draws: Draws) -> Tensor:
        """(B, T, M) by one step per block from the student's own past."""
        noise, context_noise = draws["joint_block_noise"], draws["joint_context_noise"]
        k = self.voice.network.head.block_frames

        def step(past: Tensor) -> Tensor:
            return one_step(self._conditioned, batch, past, noise, context_noise, self.sigma)

        past = rollout(step, batch.mel, k, self.stage.rollout_passes)
        return torch.cat([batch.mel[:, :k], step(past)], 1)

    def _cut(self, batch: Batch) -> Batch:
        return without_context(batch, self.stage.crops.warm_up_frames, self.signal.hop_length)


def _vocoders(turn: str) -> str:
    return "vocoder" if turn == "voice" else turn
