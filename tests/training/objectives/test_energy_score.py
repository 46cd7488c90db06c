"""The energy score prefers samples that are distributed as what is observed, in every view of a block."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Generator, Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.energy_score import EnergyScore
from cmaudio.training.objectives.settings import EnergySettings

N, K, M = 4000, 4, 16
SIGMA = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)
SETTINGS = {
    "whole": EnergySettings(share=1, parts=0),
    "parts": EnergySettings(share=1),
    "sums": EnergySettings(share=1, sums=1),
    "seams": EnergySettings(share=1, sums=1, seams=True),
    "levels": EnergySettings(share=1, parts=0, seams=True, levels=1),
}


def walk(generator: Generator, size: float = 1.0, seam: float = 1.0, together: float = 0.0) -> Tensor:
    """Blocks that move on from a frame of zeros: in steps of a size, the first scaled; a share common to all bands."""
    steps = torch.randn(N, K, M, generator=generator)
    common = torch.randn(N, K, 1, generator=generator)
    steps = size * ((1 - together) ** 0.5 * steps + together**0.5 * common)
    steps[:, 0] *= seam
    return 0.2 * steps.cumsum(1)


def mean_score(settings: EnergySettings, **wrong: float) -> float:
    generator = torch.Generator().manual_seed(0)
    x, *samples = walk(generator), walk(generator, **wrong), walk(generator, **wrong)
    pair = iter(samples)
    draws = EnergyScore(settings, SIGMA).draw((N, K, M), generator, torch.device("cpu"), 0.0)
    draws["loudness"] = torch.full((N, K, M), 1.0)
    loss, _ = EnergyScore(settings, SIGMA).loss(lambda noisy, sigma: next(pair), x, draws, teacher=None)
    return float(loss.mean())


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("whole", {"size": 1.5}),
        ("parts", {"size": 0.6}),
        ("sums", {"together": 0.5}),
        ("seams", {"seam": 2.5}),
        ("seams", {"seam": 0.2}),
        ("levels", {"together": 0.5}),
        ("levels", {"seam": 2.5}),
    ],
)
def test_samples_of_another_distribution_score_worse(kind: str, wrong: dict[str, float]) -> None:
    assert mean_score(SETTINGS[kind]) < 0.995 * mean_score(SETTINGS[kind], **wrong)


def test_seams_weigh_the_first_frame_more() -> None:
    wrong = {"seam": 2.5}
    lost = [mean_score(SETTINGS[kind], **wrong) / mean_score(SETTINGS[kind]) for kind in ("sums", "seams")]
    assert lost[0] < lost[1]
