"""The prior's task: every band answers for its share of the recorded level."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
import torch

from cmaudio.training.config import PriorStage
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.corpus.frames import WINDOW, Frames
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.tasks.prior import PriorTask

FRAMES, BANDS, CONTROLS = 16, 8, 6
STATISTICS = MelStatistics(mean=torch.zeros(BANDS), std=torch.full((BANDS,), 2.0))

pytestmark = pytest.mark.usefixtures("one_thread")


def make_frames(mel: torch.Tensor) -> Frames:
    return Frames(
        mel=mel,
        controls=torch.zeros(FRAMES, CONTROLS),
        timbre=torch.zeros(FRAMES, dtype=torch.long),
        near_mel=mel[:2].expand(len(WINDOW), 2, BANDS),
        near_controls=torch.zeros(len(WINDOW), 2, CONTROLS),
        heard=torch.ones(len(WINDOW), 2),
    )


def level_gradient(median: torch.Tensor, mel: torch.Tensor) -> torch.Tensor:
    """(M,) gradient of the loss by the median of each band that is due to the level alone."""
    network = PriorNetwork(controls=CONTROLS, timbres=1, timbre_dims=2, bands=BANDS, width=8, depth=1)
    with torch.no_grad():
        network.out.weight.zero_()
        network.out.bias[:BANDS] = median
    gradients = []
    for weight in (0.0, 1.0):
        task = PriorTask(network, PriorStage(steps=1, level_weight=weight), STATISTICS, floor=1e-4)
        network.zero_grad()
        torch.autograd.backward(task.loss("prior", make_frames(mel), {}, 0.0)[0])
        assert network.out.bias.grad is not None
        gradients.append(network.out.bias.grad[:BANDS].clone())
    return gradients[1] - gradients[0]


@pytest.mark.parametrize(
    ("strongest", "others", "sign"), [(-3.0, -4.0, -1), (3.0, -4.0, -1), (-1.0, 2.0, 1), (6.0, 1.0, 1)]
)
def test_no_band_makes_up_for_the_level_of_the_others(strongest: float, others: float, sign: int) -> None:
    """Recorded bands are alike: the gradient is alike in all bands, whatever the strongest of the median is."""
    median = torch.full((BANDS,), others)
    median[3] = strongest
    gradient = level_gradient(median, torch.zeros(FRAMES, BANDS))
    assert torch.allclose(gradient, torch.full((BANDS,), sign * 2.0 / BANDS), atol=1e-5)


def test_a_band_answers_for_its_share_of_the_recorded_level() -> None:
    mel = torch.full((FRAMES, BANDS), -4.0)
    mel[:, 5] = 0.5
    gradient = level_gradient(torch.full((BANDS,), -1.0), mel)
    assert gradient[5] / gradient.sum() == pytest.approx(1, abs=1e-3)
