"""Shared by tasks that train a single network with AdamW: everything except their losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import nn

from cmaudio.training.config import SentenceStage
from cmaudio.training.tasks.learning_rate import scheduled_rate
from cmaudio.training.tasks.task import Draws

_SENTENCES_FINAL_SHARE = 0.1

NetworkT = TypeVar("NetworkT", bound=nn.Module)


@dataclass(frozen=True)
class Optimisation:
    """How a network is optimised; `scheduled_rate` gives the learning rate at every step.

    Attributes:
        learning_rate: its peak.
        steps: of the stage.
        warmup_steps: steps of the linear rise.
        final_share: learning rate at the end, relative to the peak.
        weight_decay: of AdamW.
        betas: of AdamW.
        gradient_norm: largest norm of a gradient.
        decay_share: last share of the steps, with a linear decay; None for a cosine over the whole stage.
    """

    learning_rate: float
    steps: int
    warmup_steps: int
    final_share: float
    weight_decay: float
    betas: tuple[float, float] = (0.9, 0.99)
    gradient_norm: float = 1.0
    decay_share: float | None = None


class SingleNetworkTask(Generic[NetworkT]):
    """`cmaudio.training.tasks.task.Task` without `loss`; by default it draws no random numbers."""

    name: ClassVar[str]

    def __init__(self, network: NetworkT, optimisation: Optimisation) -> None:
        self.network, self._optimisation = network, optimisation

    @property
    def turns(self) -> Sequence[str]:
        return (self.name,)

    def modules(self) -> Mapping[str, nn.Module]:
        return {self.name: self.network}

    def averaged(self) -> str:
        return self.name

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        o = self._optimisation
        return torch.optim.AdamW(parameters, o.learning_rate, o.betas, weight_decay=o.weight_decay)

    def learning_rate(self, turn: str, progress: float) -> float:
        o = self._optimisation
        return scheduled_rate(
            o.learning_rate,
            progress,
            steps=o.steps,
            warmup_steps=o.warmup_steps,
            final_share=o.final_share,
            decay_share=o.decay_share,
        )

    def gradient_norm(self, turn: str) -> float:
        return self._optimisation.gradient_norm

    def draw(self, batch: Any, generator: torch.Generator, progress: float) -> Draws:
        return {}


class SentenceTask(SingleNetworkTask[nn.Module]):
    """A task on whole utterances, for the aligner and the prosody network."""

    weight_decay: ClassVar[float]

    def __init__(self, network: nn.Module, stage: SentenceStage) -> None:
        optimisation = Optimisation(
            stage.learning_rate,
            stage.steps,
            stage.warmup_steps,
            _SENTENCES_FINAL_SHARE,
            self.weight_decay,
            betas=(0.9, 0.98),
        )
        super().__init__(network, optimisation)
