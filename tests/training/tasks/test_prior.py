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


@pytest.mark.parametrize("strongest", [-2.0, 0.0, 1.0])
def test_no_band_makes_up_alone_for_the_level_of_the_others(strongest: float) -> None:
    """All bands are recorded at 0, all but one are predicted too low: the others have half of the gradient at least."""
    median = torch.full((BANDS,), -4.0)
    median[3] = strongest
    gradient = -level_gradient(median, torch.zeros(FRAMES, BANDS))
    others = (gradient.sum() - gradient[3]) / (BANDS - 1)
    assert gradient.sum() == pytest.approx(2)  # the deviation of the bands
    assert others >= 0.5 * gradient.sum() / BANDS


@pytest.mark.parametrize(("overshoot", "sign"), [(0.5, -1), (5.0, 1)])
def test_a_band_that_stands_out_is_lowered_again(overshoot: float, sign: int) -> None:
    median = torch.full((BANDS,), -1.0)
    median[3] = overshoot
    assert (level_gradient(median, torch.zeros(FRAMES, BANDS)).sign() == sign).all()


@pytest.mark.parametrize("offset", [-0.5, 0.5])
def test_strong_bands_determine_the_level(offset: float) -> None:
    mel = torch.full((FRAMES, BANDS), -4.0)
    mel[:, 5] = 0.5
    gradient = level_gradient(mel[0] + offset, mel)
    assert gradient[5] / gradient.sum() == pytest.approx(1, abs=1e-3)
    assert gradient[5] * offset > 0
