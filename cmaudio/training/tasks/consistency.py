"""Training of the consistency network or its teacher: all blocks of a crop at once, each given its noised past.

Shapes: B clips, T frames, K frames of a block, N = B (T / K - 1) blocks, M mel bands, C controls, E conditioning width.
The first block of a crop is context only. Objectives see blocks; the conditioning is captured in a closure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.model.manifest import NoiseLevels
from cmaudio.speech.features import ENERGY_COLUMN, SINCE_COLUMN
from cmaudio.training.config import ConsistencyStage
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.objectives.build import make_objective
from cmaudio.training.objectives.objective import Denoiser
from cmaudio.training.tasks.rollout import rollout
from cmaudio.training.tasks.single_network import Optimisation, SingleNetworkTask
from cmaudio.training.tasks.task import Draws

ATTACK_BLOCKS = 8
_LEAST_CONTEXT_NOISE = 1e-3
_QUIET_SHARE = 0.25


class Conditioned:
    """A network as a function of blocks given their past, for the trained network and its teacher."""

    def __init__(self, network: ConsistencyNetwork, compiled: bool) -> None:
        wrap: Callable[[Any], Any] = torch.compile if compiled else lambda f: f
        self.network = network
        self._context = wrap(network.context_encoder.forward)
        self.head = wrap(network.head.forward)

    def condition(self, batch: Batch, past: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Noised past (B, T, M) and its level (B,) -> contexts (N, D + 2M) and conditioning (N, K, E) of the blocks."""
        network, k = self.network, self.network.head.block_frames
        timbre = network.timbres(batch.timbre)[:, None].expand(-1, past.shape[1], -1)
        c = network.control_encoder(batch.controls, timbre)
        encoded, _ = self._context(past, c, level, network.context_encoder.init_state(len(past)))
        contexts = encoded[:, k - 1 : -k : k].flatten(0, 1)
        return contexts, c[:, k:].reshape(-1, k, c.shape[-1])

    def denoiser(self, contexts: Tensor, conditioning: Tensor, raw: bool = False) -> Denoiser:
        """f(x, sigma) of the blocks; `raw` is not compiled, for objectives that use forward-mode differentiation."""
        head = self.network.head if raw else self.head
        return lambda x, sigma: head(x, sigma, contexts, conditioning)


def to_blocks(frames: Tensor, k: int) -> Tensor:
    """(B, T, ...) frames -> (N, K, ...) blocks, without each clip's first."""
    return frames[:, k:].reshape(-1, k, *frames.shape[2:])


def with_energy_noise(controls: Tensor, noise: Tensor) -> Tensor:
    """Controls (B, T, C) of text, with a value of its clip's noise (B, T) added to the energy of each phoneme."""
    since = controls[..., SINCE_COLUMN]
    phoneme = (since.diff(dim=1, prepend=since[:, :1]) < 0).cumsum(1)
    noisy = controls.clone()
    noisy[..., ENERGY_COLUMN] += noise.gather(1, phoneme)
    return noisy


def one_step(
    network: Conditioned, batch: Batch, past: Tensor, noise: Tensor, context_noise: Tensor, sigma: NoiseLevels
) -> Tensor:
    """One-step generation of every block but the first from its past: (B, T, M), noise (N, K, M) -> (B, T - K, M)."""
    level = torch.full((len(past),), sigma.context, device=past.device)
    contexts, conditioning = network.condition(batch, past + sigma.context * context_noise, level)
    highest = torch.full((len(noise),), sigma.max, device=noise.device)
    blocks = network.denoiser(contexts, conditioning)(noise * sigma.start, highest)
    return blocks.reshape(len(past), -1, past.shape[-1])


class ConsistencyTask(SingleNetworkTask[ConsistencyNetwork]):
    """`cmaudio.training.tasks.task.Task` for a consistency network with one objective."""

    name = "network"

    def __init__(
        self,
        network: ConsistencyNetwork,
        stage: ConsistencyStage,
        sigma: NoiseLevels,
        *,
        teacher: ConsistencyNetwork | None = None,
        compiled: bool = False,
    ) -> None:
        optimisation = Optimisation(
            stage.learning_rate,
            stage.steps,
            stage.warmup_steps,
            stage.final_share,
            stage.weight_decay,
            gradient_norm=stage.gradient_norm,
            decay_share=stage.decay_share if stage.schedule == "late" else None,
        )
        super().__init__(network, optimisation)
        self.stage, self.sigma = stage, sigma
        self.objective = make_objective(stage.objective, sigma)
        self._student = Conditioned(network, compiled)
        self._teacher = None
        if self.objective.needs_teacher:
            if teacher is None:
                raise CmaudioError(f"{stage.objective.objective} needs a teacher, which only the stage student has")
            self._teacher = Conditioned(teacher.requires_grad_(False).eval(), compiled)

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        if self.stage.optimiser == "radam":
            return torch.optim.RAdam(parameters, self.stage.learning_rate, self._optimisation.betas)
        return super().optimiser(turn, parameters)

    def draw(self, batch: Batch, generator: torch.Generator, progress: float) -> Draws:
        device, (clips, frames, bands) = batch.mel.device, batch.mel.shape
        k = self.network.head.block_frames
        u = torch.rand(2, clips, generator=generator, device=device)
        level = torch.where(u[0] < _QUIET_SHARE, 0, self.stage.context_noise * u[1] ** 2) + _LEAST_CONTEXT_NOISE
        blocks = (clips * (frames // k - 1), k, bands)
        draws = {
            "context_level": level,
            "context_noise": torch.randn(batch.mel.shape, generator=generator, device=device),
            **self.objective.draw(blocks, generator, device, progress),
        }
        if self.stage.energy_noise:
            spread = self.stage.energy_noise * torch.rand(clips, 1, generator=generator, device=device)
            draws["energy_noise"] = spread * torch.randn(clips, frames, generator=generator, device=device)
        if self._rolled_out(clips):
            rolled = (self._rolled_out(clips) * (frames // k - 1), k, bands)
            draws["rollout_noise"] = torch.randn(rolled, generator=generator, device=device)
        return draws

    def _rolled_out(self, clips: int) -> int:
        """Number of clips of a chunk that get a generated context: the first ones, since their order is random."""
        return round(self.stage.rollout_share * clips) if self.stage.rollout_passes else 0

    def loss(self, turn: str, batch: Batch, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        k = self.network.head.block_frames
        if "energy_noise" in draws:
            batch = replace(batch, controls=with_energy_noise(batch.controls, draws["energy_noise"]))
        past = self._past(batch, draws)
        noised = past + draws["context_level"][:, None, None] * draws["context_noise"]
        f = self._student.denoiser(
            *self._student.condition(batch, noised, draws["context_level"]), raw=self.objective.differentiates_forward
        )
        teacher = None
        if self._teacher is not None:
            with torch.no_grad():
                teacher = self._teacher.denoiser(*self._teacher.condition(batch, noised, draws["context_level"]))
        if batch.loudness.numel():
            draws = {**draws, "loudness": to_blocks(batch.loudness, k)}
        losses, metrics = self.objective.loss(f, to_blocks(batch.mel, k), draws, teacher=teacher)
        weights = self._weights(batch)
        loss = (losses * weights).sum() / weights.sum().clamp(min=1)
        return loss, {"loss": loss.detach(), **metrics}

    def _past(self, batch: Batch, draws: Draws) -> Tensor:
        """The recorded context, or for some clips a context that the network generates."""
        count = self._rolled_out(len(batch.mel))
        if not count:
            return batch.mel
        first = Batch(**{key: value[:count] for key, value in vars(batch).items()})
        noise, context_noise = draws["rollout_noise"], draws["context_noise"][:count]
        own = rollout(
            lambda past: one_step(self._student, first, past, noise, context_noise, self.sigma),
            first.mel,
            self.network.head.block_frames,
            self.stage.rollout_passes,
        )
        return torch.cat([own, batch.mel[count:]])

    def _weights(self, batch: Batch) -> Tensor:
        """(N,) weight of every block: 0 if one of its frames is not scored, more for attacks."""
        k = self.network.head.block_frames
        scored = to_blocks(batch.scored, k).all(1).float()
        if self.stage.attack_weight == 1:
            return scored
        blocks = batch.mel.shape[1] // k - 1
        attack = batch.scored[:, :1] & (torch.arange(blocks, device=scored.device) < ATTACK_BLOCKS)
        return scored * torch.where(attack.flatten(), self.stage.attack_weight, 1.0)
