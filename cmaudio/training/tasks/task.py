"""The protocol between the training loop and what it trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from cmaudio.training.corpus.batch import Batch

Draws = Mapping[str, Tensor]


class Task(Protocol):
    """Losses over batches. All randomness comes from `draw`, so that a step can be repeated exactly.

    A step takes one `turn` after the other (a vocoder's discriminators, then the vocoder); each has its own parameters,
    optimiser and learning rate. `progress` is the completed share of the steps, 0 to 1.
    """

    @property
    def turns(self) -> Sequence[str]: ...

    def modules(self) -> Mapping[str, nn.Module]:
        """All trained modules by turn: what optimisers update and checkpoints store."""
        ...

    def averaged(self) -> str:
        """The turn whose module is also averaged exponentially, and used in that form after training."""
        ...

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer: ...

    def learning_rate(self, turn: str, progress: float) -> float:
        """Learning rate at this point; 0 skips the turn (its loss is not computed)."""
        ...

    def gradient_norm(self, turn: str) -> float:
        """Largest norm of a turn's gradient; a larger one is scaled down to it."""
        ...

    def draw(self, batch: Batch, generator: torch.Generator, progress: float) -> Draws:
        """All random numbers that a step over this batch needs, on the batch's device."""
        ...

    def loss(self, turn: str, batch: Batch, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to minimise, and metrics (detached scalars on the device: no host synchronisation)."""
        ...
