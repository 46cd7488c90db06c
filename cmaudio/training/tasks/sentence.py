"""Shared by tasks on whole utterances: one small network, AdamW, and no random draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from cmaudio.training.config import SentenceStage
from cmaudio.training.tasks.learning_rate import scheduled_rate
from cmaudio.training.tasks.task import Draws

_FINAL_SHARE = 0.1


class SentenceTask:
    """`cmaudio.training.tasks.task.Task` without `loss`, for the aligner and the prosody network."""

    name: ClassVar[str]
    weight_decay: ClassVar[float]

    def __init__(self, network: nn.Module, stage: SentenceStage) -> None:
        self.network, self.stage = network, stage

    @property
    def turns(self) -> Sequence[str]:
        return (self.name,)

    def modules(self) -> Mapping[str, nn.Module]:
        return {self.name: self.network}

    def averaged(self) -> str:
        return self.name

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, self.stage.learning_rate, (0.9, 0.98), weight_decay=self.weight_decay)

    def learning_rate(self, turn: str, progress: float) -> float:
        stage = self.stage
        return scheduled_rate(
            stage.learning_rate, progress, steps=stage.steps, warmup_steps=stage.warmup_steps, final_share=_FINAL_SHARE
        )

    def gradient_norm(self, turn: str) -> float:
        return 1.0

    def draw(self, batch: Any, generator: torch.Generator, progress: float) -> Draws:
        return {}
