"""Training of the prosody network: durations, energies, and conditioning on word boundaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn

from cmaudio.speech.features import KNOTS
from cmaudio.training.config import SentenceStage
from cmaudio.training.corpus.prosody_targets import ProsodyTargets
from cmaudio.training.networks.prosody import OUTPUTS, ProsodyNetwork
from cmaudio.training.tasks.prosody import ProsodyTask

FRAME_RATE = 100.0


class Always(ProsodyNetwork):
    """Says the same of every phoneme, whatever it is."""

    def __init__(self) -> None:
        super().__init__(symbols=1, timbre_dims=2, width=4, depth=1)
        self.said = nn.Parameter(torch.zeros(OUTPUTS))

    def forward(self, ids: Tensor, timbre: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.said.expand(*ids.shape[:2], OUTPUTS)


def targets(ids: Tensor, durations: Tensor, timed: Tensor | None = None) -> ProsodyTargets:
    """Stretches in which all but how long phonemes last is the same, and known of all but those not `timed`."""
    flat, knots = torch.zeros(durations.shape), torch.zeros(*durations.shape, KNOTS)
    known = torch.ones(durations.shape, dtype=torch.bool)
    timbre = torch.zeros(len(ids), dtype=torch.long)
    return ProsodyTargets(ids, timbre, known, known if timed is None else timed, durations, flat, knots, knots)


def train(network: ProsodyNetwork, batch: ProsodyTargets, steps: int, learning_rate: float) -> float:
    """Train on one batch; returns the last loss of durations."""
    task = ProsodyTask(network, SentenceStage(steps=1), torch.zeros(1, 2), FRAME_RATE)
    optimiser = torch.optim.Adam(network.parameters(), learning_rate)
    parts: dict[str, Tensor] = {}
    for _ in range(steps):
        optimiser.zero_grad()
        loss, parts = task.loss("prosody", batch, {}, 0.0)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return float(parts["duration"])


def test_an_outlier_duration_does_not_lengthen_other_phonemes() -> None:
    durations = torch.tensor([[6.0, 7.0, 8.0, 7.0, 7.0, 8.0, 6.0, 90.0]]).repeat(4, 1)  # frames
    network = Always()
    train(network, targets(torch.zeros(4, 8, 6, dtype=torch.long), durations), 400, 0.05)
    assert 6.5 < float(network.said[0].detach().exp()) * FRAME_RATE < 8.5


def test_a_truncated_pause_is_scored_for_energy_but_not_duration() -> None:
    ids = torch.zeros(4, 6, 6, dtype=torch.long)
    ids[:, -1, 0] = 1  # the last one of every clip, and nowhere else
    durations = torch.tensor([[8.0, 8.0, 8.0, 8.0, 8.0, 1.0]]).repeat(4, 1)
    timed = torch.ones(4, 6, dtype=torch.bool)
    timed[:, -1] = False
    batch = targets(ids, durations, timed)
    batch.energy[:, -1] = -1
    torch.manual_seed(0)
    network = ProsodyNetwork(symbols=2, timbre_dims=2, width=16, depth=2)
    train(network, batch, 200, 0.01)
    with torch.no_grad():
        made = network.eval()(ids, torch.zeros(4, 2))[0]
    assert made[:5, 1].abs().max() < 0.1
    assert -1.1 < made[5, 1] < -0.9
    assert made[5, 0].exp() * FRAME_RATE > 5


def word_boundaries() -> Tensor:
    ids = torch.zeros(16, 12, 6, dtype=torch.long)
    ids[..., 2] = torch.rand(16, 12) < 0.3
    return ids


def kinds_of_sentence() -> Tensor:
    """The same in all of a long stretch, so that it is known far from the mark."""
    ids = torch.zeros(16, 40, 6, dtype=torch.long)
    ids[8:, :, 3] = 1
    return ids


@pytest.mark.parametrize(("make_ids", "column"), [(word_boundaries, 2), (kinds_of_sentence, 3)])
def test_word_boundaries_and_kinds_of_sentence_are_learned(make_ids: Callable[[], Tensor], column: int) -> None:
    torch.manual_seed(1)
    ids = make_ids()
    batch = targets(ids, torch.where(ids[..., column] > 0, 12.0, 6.0))
    blind = targets(torch.zeros_like(ids), batch.durations)
    losses = [train(ProsodyNetwork(symbols=1, timbre_dims=2, width=16, depth=2), b, 150, 0.01) for b in (batch, blind)]
    assert losses[0] < 0.3 * losses[1]


@pytest.mark.parametrize("where", [(0, 2, 2), (..., slice(3, None))], ids=["a word boundary", "the kind of sentence"])
def test_a_new_network_ignores_word_boundaries_and_kinds_of_sentence(where: tuple[Any, ...]) -> None:
    network = ProsodyNetwork(symbols=1, timbre_dims=2, width=16, depth=2).eval()
    nn.init.normal_(network.out.weight)
    plain, marked = torch.zeros(1, 5, 6, dtype=torch.long), torch.zeros(1, 5, 6, dtype=torch.long)
    marked[where] = 1
    with torch.no_grad():
        assert torch.equal(*(network(ids, torch.zeros(1, 2)) for ids in (plain, marked)))
