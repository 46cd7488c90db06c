"""Training of the vocoder: a multi-resolution mel loss, later with discriminators.

Shapes: B clips, T frames, N samples. When fine-tuning on mels from the consistency network, these do not match the
audio in every detail, and the mel loss finds a compromise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.training.config import VocoderSettings
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clip import Signal
from cmaudio.training.networks.discriminators import (
    Discriminators,
    adversarial_loss,
    discriminator_loss,
    feature_matching_loss,
)
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.tasks.breath_loss import BreathLoss, steady_pitch
from cmaudio.training.tasks.frame_loss import FrameLoss
from cmaudio.training.tasks.learning_rate import scheduled_rate
from cmaudio.training.tasks.mel_loss import MultiResolutionMelLoss
from cmaudio.training.tasks.task import Draws
from cmaudio.training.tasks.torch_dsp import synthesise


class VocoderTask:
    """`cmaudio.training.tasks.task.Task` for a vocoder; both players see the same crops in a step.

    Args:
        vocoder: to train.
        signal: of the corpus.
        settings: losses and optimisation.
        steps: of the stage.
        warm_up_frames: of its crops; not scored in crops from inside a clip.
        gradient_norm: largest norm of a gradient.
        compiled: whether to use torch.compile.
    """

    turns = ("discriminators", "vocoder")

    def __init__(
        self,
        vocoder: VocoderNetwork,
        signal: Signal,
        settings: VocoderSettings,
        *,
        steps: int,
        warm_up_frames: int = 16,
        gradient_norm: float = 10.0,
        compiled: bool = False,
    ) -> None:
        self.vocoder, self.signal, self.settings = vocoder, signal, settings
        self.steps, self.warm_up_frames, self._gradient_norm = steps, warm_up_frames, gradient_norm
        self._filters: VocoderNetwork = vocoder
        if compiled:
            self._filters = torch.compile(vocoder)  # type: ignore[assignment]  # forwards attributes of the module
        device = next(vocoder.parameters()).device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.discriminators = Discriminators(settings.windows, settings.periods, settings.channels).to(device)
        self.mel_loss = MultiResolutionMelLoss(signal.sample_rate).to(device)
        self.breath_loss = BreathLoss(signal.sample_rate).to(device) if settings.breath_weight else None
        self.frame_loss = FrameLoss(signal).to(device) if settings.frame_weight else None
        judged = [] if settings.warmup == 1 else settings.windows
        breath = [self.breath_loss.length] if self.breath_loss else []
        self._longest_window = max(*self.mel_loss.lengths, *judged, *breath)

    def modules(self) -> Mapping[str, nn.Module]:
        return {"vocoder": self.vocoder, "discriminators": self.discriminators}

    def averaged(self) -> str:
        return "vocoder"

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        s = self.settings
        rate, decay = (s.learning_rate, s.weight_decay) if turn == "vocoder" else (s.discriminator_learning_rate, 0.01)
        return torch.optim.AdamW(parameters, rate, s.betas, weight_decay=decay)

    def learning_rate(self, turn: str, progress: float) -> float:
        s = self.settings
        if turn == "discriminators":
            return s.discriminator_learning_rate if self._adversarial(progress) else 0.0
        return scheduled_rate(
            s.learning_rate, progress, steps=self.steps, warmup_steps=s.warmup_steps, final_share=s.final_share
        )

    def gradient_norm(self, turn: str) -> float:
        return self._gradient_norm

    def _adversarial(self, progress: float) -> bool:
        return progress >= self.settings.warmup < 1

    def draw(self, batch: Batch, generator: torch.Generator, progress: float) -> Draws:
        device = batch.audio.device
        return {
            "noise": torch.randn(batch.audio.shape, generator=generator, device=device),
            "phase": torch.rand(len(batch.audio), generator=generator, device=device),
        }

    def loss(self, turn: str, batch: Batch, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        self.discriminators.requires_grad_(turn == "discriminators")
        with torch.set_grad_enabled(turn == "vocoder"):
            sound = synthesise(self._filters, self.signal, batch.mel, batch.f0, draws["noise"], draws["phase"])
        fake, real = self._scored(sound, batch), self._scored(batch.audio, batch)
        if turn == "discriminators":
            loss = discriminator_loss(self.discriminators(real), self.discriminators(fake))
            return loss, {"loss": loss.detach()}
        with torch.autocast(fake.device.type, enabled=False):
            weighted = self._distances(sound.float(), fake.float(), real, batch)
        if self._adversarial(progress):
            judged = self.discriminators(fake)
            with torch.no_grad():
                wanted = self.discriminators(real)
            weighted["adversarial"] = self.settings.adversarial_weight, adversarial_loss(judged)
            weighted["feature_matching"] = self.settings.feature_matching_weight, feature_matching_loss(wanted, judged)
        loss = torch.stack([weight * distance for weight, distance in weighted.values()]).sum()
        return loss, {"loss": loss.detach()} | {name: distance.detach() for name, (_, distance) in weighted.items()}

    def _distances(self, sound: Tensor, fake: Tensor, real: Tensor, batch: Batch) -> dict[str, tuple[float, Tensor]]:
        """Weights and distances of crops' sound (B, N), by name; `fake` and `real` are what is scored (B, N')."""
        found = {"mel": (self.settings.mel_weight, self.mel_loss(fake, real))}
        if self.breath_loss is not None:
            index = self._scored_frames(batch, fake.shape[1] // self.signal.hop_length)
            pitch = steady_pitch(batch.f0[index], batch.scored[index])
            found["breath"] = self.settings.breath_weight, self.breath_loss(fake, real, pitch)
        if self.frame_loss is not None:
            distance = self.frame_loss(sound, batch.audio, self._compared_frames(batch))
            found["frames"] = self.settings.frame_weight, distance
        return found

    def _scored(self, sound: Tensor, batch: Batch) -> Tensor:
        """(B, N') samples of equal length from each clip's first scored frame on, 0 after its last.

        The length is that of the crop minus the longest warm-up, for all draws; the last frames, whose overlap is
        incomplete, are excluded.
        """
        hop, overlap = self.signal.hop_length, self.signal.stft.overlap
        frames = batch.scored.shape[1]
        excluded = self.warm_up_frames + overlap // hop
        length = frames - excluded
        if length * hop < self._longest_window:
            least = excluded + math.ceil(self._longest_window / hop)
            raise CmaudioError(
                f"crops of {frames} frames leave {max(0, length)} to score, too few for the losses' window of "
                f"{self._longest_window} samples: crops.frames must be at least {least}"
            )
        index = self._scored_frames(batch, length)
        return (sound.reshape(-1, frames, hop)[index] * batch.scored[index][..., None]).flatten(1)

    def _scored_frames(self, batch: Batch, length: int) -> tuple[Tensor, Tensor]:
        """(B, 1) clips and (B, length) their frames, from the first scored one on."""
        first = batch.scored.float().argmax(1).clamp(max=self.warm_up_frames)
        rows = first[:, None] + torch.arange(length, device=first.device)
        return torch.arange(len(rows), device=rows.device)[:, None], rows

    def _compared_frames(self, batch: Batch) -> Tensor:
        """(B, T) bool, frames in whose windows all samples are scored and complete."""
        before = self.signal.stft.overlap // self.signal.hop_length
        compared = batch.scored.clone()
        compared[:, before:] &= batch.scored[:, :-before]
        compared[:, -before:] = False
        return compared
