"""What the loop asks of a thing that can be trained; the consistency network and the vocoder are two such things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from cmaudio.training.corpus.batch import Batch

Draws = Mapping[str, Tensor]


class Task(Protocol):
    """Losses over batches. Randomness comes in through `draw` alone, so that a step can be made again exactly.

    A step takes one `turn` after the other (a vocoder's discriminators, then the vocoder); each has its own parameters,
    optimiser and learning rate. `progress` is the part of the training that is done, 0 at the first step, 1 at the end.
    """

    @property
    def turns(self) -> Sequence[str]: ...

    def modules(self) -> Mapping[str, nn.Module]:
        """Everything that is trained, by turn: what an optimiser steps and a checkpoint keeps."""
        ...

    def averaged(self) -> str:
        """The turn whose module is also kept as an exponential moving average: the one that is used in the end."""
        ...

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer: ...

    def learning_rate(self, turn: str, progress: float) -> float:
        """Learning rate at this point; 0 means that the turn is left out (its loss is not computed)."""
        ...

    def gradient_norm(self, turn: str) -> float:
        """Largest norm of a turn's gradient; a larger one is scaled down to it."""
        ...

    def draw(self, batch: Batch, generator: torch.Generator, progress: float) -> Draws:
        """All random numbers that a step over this batch needs, on the batch's device."""
        ...

    def loss(self, turn: str, batch: Batch, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to descend, and figures to show (detached scalars on the device: no host synchronisation)."""
        ...
