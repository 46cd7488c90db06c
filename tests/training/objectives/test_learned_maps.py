"""Every objective learns the exact map of Gaussian data."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from fixtures.toy_objectives import (
    CPU,
    MU,
    SD,
    SIGMA,
    STUDENTS,
    Data,
    K,
    M,
    ToyNetwork,
    exact_denoiser,
    exact_map,
    normal_data,
)
from torch import Tensor, nn

from cmaudio.synthesis.heun import heun, karras_sigmas
from cmaudio.training.objectives.build import make_objective
from cmaudio.training.objectives.objective import Denoiser, Objective
from cmaudio.training.objectives.settings import (
    CdSettings,
    EdmSettings,
    EnergySettings,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def train(
    objective: Objective, start: nn.Module, steps: int, rate: float, teacher: Denoiser | None, data: Data = normal_data
) -> ToyNetwork:
    """Adam with a cosine; the average of the last weights is returned, as in real training."""
    generator = torch.Generator().manual_seed(1)
    network, average = copy.deepcopy(start), copy.deepcopy(start)
    optimiser = torch.optim.Adam(network.parameters(), rate, (0.9, 0.99))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        x = data(generator)
        draws = objective.draw((len(x), K, M), generator, CPU, step / steps)
        losses, _ = objective.loss(network, x, draws, teacher=teacher if objective.needs_teacher else None)
        optimiser.zero_grad()
        torch.autograd.backward(losses.mean())
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - min(0.99, step / 10))
    assert isinstance(average, ToyNetwork)
    return average


def relative_error(f: Denoiser, exact: Denoiser, low: float = 1e-2, high: float = 80.0) -> float:
    """Root mean square over t = low..high of the error at points that the process visits, over SD."""
    generator = torch.Generator().manual_seed(9)
    t = torch.from_numpy(np.geomspace(low, high, 14, dtype=np.float32)).repeat_interleave(200)
    x = MU + (SD**2 + t[:, None, None] ** 2).sqrt() * torch.randn(len(t), K, M, generator=generator)
    with torch.no_grad():
        return float((f(x, t) - exact(x, t)).square().mean().sqrt()) / SD


def one_step(f: Denoiser, blocks: int = 2000) -> Tensor:
    z = torch.randn(blocks, K, M, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return f(z * SIGMA.max, torch.full((blocks,), SIGMA.max))


@pytest.fixture(scope="module")
def untrained() -> ToyNetwork:
    torch.manual_seed(1)
    return ToyNetwork()


@pytest.fixture(scope="module")
def teacher(untrained: ToyNetwork) -> ToyNetwork:
    return train(make_objective(EdmSettings(), SIGMA), untrained, 800, 5e-3, None)


def test_edm_learns_the_exact_denoiser(untrained: ToyNetwork, teacher: ToyNetwork) -> None:
    inside = {"low": 0.02, "high": 10.0}  # levels that the log-normal reaches in so short a training
    assert relative_error(untrained, exact_denoiser, **inside) > 0.2
    assert relative_error(teacher, exact_denoiser, **inside) < 0.06


def test_heun_samples_from_the_trained_denoiser(teacher: ToyNetwork) -> None:
    def denoise(x: np.ndarray, sigma: float) -> np.ndarray:
        with torch.no_grad():
            return teacher(torch.from_numpy(x), torch.full((len(x),), sigma)).numpy()

    noise = np.random.default_rng(3).standard_normal((2000, K, M)).astype(np.float32)
    samples = heun(denoise, noise, karras_sigmas(18, SIGMA.min, SIGMA.max))
    assert samples.mean() == pytest.approx(MU, abs=0.05)
    assert samples.std() == pytest.approx(SD, rel=0.1)
    assert one_step(teacher).std() < SD / 2, "one step of a denoiser is the mean, no sample"


@pytest.mark.parametrize(
    ("name", "steps", "tolerance"),
    [("ect", 800, 0.08), ("cd", 500, 0.08), ("scm", 450, 0.12), ("scm on data", 350, 0.14)],
)
def test_every_objective_learns_the_consistency_map(
    name: str, steps: int, tolerance: float, untrained: ToyNetwork, teacher: ToyNetwork
) -> None:
    assert relative_error(untrained, exact_map) > 2 * tolerance
    assert relative_error(teacher, exact_map) > 2 * tolerance
    student = train(make_objective(STUDENTS[name], SIGMA), teacher, steps, 2e-3, teacher)
    samples = one_step(student)
    assert relative_error(student, exact_map) < tolerance
    assert float(samples.mean()) == pytest.approx(MU, abs=0.06)
    assert float(samples.std()) == pytest.approx(SD, rel=0.25)


@pytest.mark.parametrize(
    ("settings", "most_between"),  # 0.01 of the data are between the modes; 0.23 of a normal with their variance
    [(CdSettings(intervals=18, final_intervals=18, distance="l2"), 0.1), (EnergySettings(), 0.16)],
    ids=["cd", "energy"],
)
def test_one_step_samples_both_modes(
    settings: CdSettings | EnergySettings, most_between: float, untrained: ToyNetwork
) -> None:
    """Half the data near -1, half near 1: D is the mean of both modes' denoisers, weighed by their posterior.

    A score is flat near its least, so that in as many steps the energy score parts the modes less sharply.
    """
    width = 0.3

    def denoiser(x: Tensor, t: Tensor) -> Tensor:
        variance = t[:, None, None] ** 2 + width**2
        right = torch.sigmoid(2 * x / variance)
        return (x * width**2 + (2 * right - 1) * t[:, None, None] ** 2) / variance

    def data(generator: torch.Generator) -> Tensor:
        sign = torch.randint(2, (256, K, M), generator=generator) * 2 - 1
        return sign + width * torch.randn(256, K, M, generator=generator)

    student = train(make_objective(settings, SIGMA), untrained, 800, 1e-2, denoiser, data)
    samples = one_step(student)
    assert float((samples.abs() < width).float().mean()) < most_between
    assert float((samples > 0).float().mean()) == pytest.approx(0.5, abs=0.1)


def test_the_energy_score_learns_to_sample_and_to_denoise(untrained: ToyNetwork, teacher: ToyNetwork) -> None:
    """From sigma_max one step is a draw from the data, below it the mean of what the level leaves open."""
    student = train(make_objective(EnergySettings(share=0.5), SIGMA), teacher, 500, 2e-3, None)
    samples = one_step(student)
    assert float(samples.mean()) == pytest.approx(MU, abs=0.05)
    assert float(samples.std()) == pytest.approx(SD, rel=0.15)
    assert relative_error(student, exact_denoiser, low=0.02, high=5.0) < 0.1
