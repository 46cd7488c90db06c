"""What the prosody network is trained to say of how long phonemes last."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn

from cmaudio.speech.features import KNOTS
from cmaudio.training.config import SentenceStage
from cmaudio.training.data.prosody_targets import ProsodyTargets
from cmaudio.training.prosody_network import OUTPUTS, ProsodyNetwork
from cmaudio.training.prosody_task import ProsodyTask

FRAME_RATE = 100.0


class Always(ProsodyNetwork):
    """Says the same of every phoneme, whatever it is."""

    def __init__(self) -> None:
        super().__init__(symbols=1, timbre_dims=2, width=4, depth=1)
        self.said = nn.Parameter(torch.zeros(OUTPUTS))

    def forward(self, ids: Tensor, timbre: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.said.expand(*ids.shape[:2], OUTPUTS)


def test_where_durations_are_uncertain_their_mean_is_learned() -> None:
    durations = torch.tensor([[2.0, 4.0, 6.0, 40.0]])  # frames; their geometric mean is 6.6
    flags = torch.ones(1, 4, dtype=torch.bool)
    knots = torch.zeros(1, 4, KNOTS)
    batch = ProsodyTargets(
        torch.zeros(1, 4, 2, dtype=torch.long), torch.tensor([0]), flags, durations, torch.zeros(1, 4), knots, knots
    )
    network = Always()
    task = ProsodyTask(network, SentenceStage(steps=1), torch.zeros(1, 2), FRAME_RATE)
    optimiser = torch.optim.Adam([network.said], 0.05)
    for _ in range(400):
        optimiser.zero_grad()
        task.loss("prosody", batch, {}, 0.0)[0].backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float(network.said[0].detach().exp()) == pytest.approx(13.0 / FRAME_RATE, rel=0.01)
