"""Objectives: on data whose consistency map is known, each of them must find it; so must the denoiser and its sampler.

Data are independent normal numbers of mean MU and deviation SD, unlike sigma_data, so that the preconditioning alone
does not solve the task: the denoiser is D(x, t) = mu + (x - mu) s^2 / (t^2 + s^2) and the consistency map
f(x, t) = mu + (x - mu) sqrt((sigma_min^2 + s^2) / (t^2 + s^2)).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from cmaudio.model.manifest import NoiseLevels
from cmaudio.synthesis.heun import heun, karras_sigmas
from cmaudio.training.networks.consistency import ConsistencyNetwork, precondition
from cmaudio.training.objectives.build import make_objective
from cmaudio.training.objectives.consistency_distillation import probability_flow
from cmaudio.training.objectives.objective import Denoiser, Objective
from cmaudio.training.objectives.settings import (
    CdSettings,
    EctSettings,
    EdmSettings,
    EnergySettings,
    ObjectiveSettings,
    ScmSettings,
)

SIGMA = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)
MU, SD = 0.3, 0.5
K, M = 2, 2
CPU = torch.device("cpu")
STUDENTS: dict[str, EctSettings | CdSettings | ScmSettings] = {
    "ect": EctSettings(),
    "cd": CdSettings(),
    "scm": ScmSettings(),
    "scm on data": ScmSettings(teacher=False),
}
ALL = {"edm": EdmSettings(), "energy": EnergySettings(), **STUDENTS}
Data = Callable[[torch.Generator], Tensor]


pytestmark = pytest.mark.usefixtures("one_thread")


class ToyNetwork(nn.Module):
    """An MLP on single numbers and their noise level, with the real network's preconditioning."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        out = nn.Linear(width, 1)
        nn.init.zeros_(out.weight)
        self.mlp = nn.Sequential(nn.Linear(6, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), out)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        c_skip, c_out, c_in = precondition(t[:, None, None], SIGMA.min, SIGMA.data)
        level = t.log()[:, None] / 4
        e = torch.cat([level, level.sin(), level.cos(), (2 * level).sin(), (2 * level).cos()], -1)
        h = torch.cat([(c_in * x)[..., None], e[:, None, None].expand(*x.shape, -1)], -1)
        return c_skip * x + c_out * self.mlp(h)[..., 0]


def exact_map(x: Tensor, t: Tensor) -> Tensor:
    return MU + (x - MU) * ((SIGMA.min**2 + SD**2) / (t[:, None, None] ** 2 + SD**2)).sqrt()


def exact_denoiser(x: Tensor, t: Tensor) -> Tensor:
    return MU + (x - MU) * SD**2 / (t[:, None, None] ** 2 + SD**2)


def normal_data(generator: torch.Generator) -> Tensor:
    return MU + SD * torch.randn(256, K, M, generator=generator)


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


def test_diffusion_finds_the_denoiser(untrained: ToyNetwork, teacher: ToyNetwork) -> None:
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
def test_every_objective_finds_the_consistency_map(
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
def test_one_step_draws_from_both_modes(
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


def test_energy_draws_and_still_denoises(untrained: ToyNetwork, teacher: ToyNetwork) -> None:
    """From sigma_max one step is a draw from the data, below it the mean of what the level leaves open."""
    student = train(make_objective(EnergySettings(share=0.5), SIGMA), teacher, 500, 2e-3, None)
    samples = one_step(student)
    assert float(samples.mean()) == pytest.approx(MU, abs=0.05)
    assert float(samples.std()) == pytest.approx(SD, rel=0.15)
    assert relative_error(student, exact_denoiser, low=0.02, high=5.0) < 0.1


def test_what_is_drawn_hears_nothing_of_the_data() -> None:
    """Else the score would be least where the network gives back what it was shown."""
    objective = make_objective(EnergySettings(share=1.0), SIGMA)
    generator = torch.Generator().manual_seed(2)
    draws = objective.draw((50, K, M), generator, CPU, 0.0)
    heard: list[Tensor] = []

    def f(x: Tensor, t: Tensor) -> Tensor:
        assert (t == SIGMA.max).all()
        heard.append(x)
        return x / SIGMA.max

    for shift in (0.0, 1000.0):
        objective.loss(f, torch.randn(50, K, M, generator=generator) + shift, draws, teacher=None)
    assert torch.equal(heard[0], heard[2])
    assert torch.equal(heard[1], heard[3])
    assert not torch.equal(heard[0], heard[1])


def test_the_exact_map_has_no_tangent() -> None:
    """df/dt = 0 along the flow is what defines a consistency map; any other map has a tangent."""
    objective = make_objective(ScmSettings(warm_up=0), SIGMA)
    generator = torch.Generator().manual_seed(2)
    x = normal_data(generator)
    draws = objective.draw((len(x), K, M), generator, CPU, 0.0)
    _, right = objective.loss(exact_map, x, draws, teacher=exact_denoiser)
    _, wrong = objective.loss(lambda x, t: exact_map(x, 1.1 * t), x, draws, teacher=exact_denoiser)
    assert right["tangent"] < 1e-3
    assert wrong["tangent"] > 0.02


def test_the_warm_up_begins_with_diffusion() -> None:
    """With a = 0 the tangent vanishes for the denoiser instead."""
    objective = make_objective(ScmSettings(), SIGMA)
    generator = torch.Generator().manual_seed(2)
    x = normal_data(generator)
    draws = objective.draw((len(x), K, M), generator, CPU, 0.0)
    assert not draws["a"].any()
    assert objective.loss(exact_denoiser, x, draws, teacher=exact_denoiser)[1]["tangent"] == 0
    assert objective.loss(exact_map, x, draws, teacher=exact_denoiser)[1]["tangent"] > 0.1
    assert (objective.draw((5, K, M), generator, CPU, 0.1)["a"] == 1).all()


def test_probability_flow_is_second_order() -> None:
    x = torch.randn(50, K, M, generator=torch.Generator().manual_seed(4)).double() * 3
    t, r = torch.full((50,), 3.0).double(), torch.full((50,), 0.5).double()
    exact = MU + (x - MU) * math.sqrt((0.5**2 + SD**2) / (3.0**2 + SD**2))
    errors = [float((probability_flow(exact_denoiser, x, t, r, n) - exact).abs().max()) for n in (4, 8, 16)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.4)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.3)


def test_distillation_doubles_its_intervals() -> None:
    settings = CdSettings(intervals=10, final_intervals=50)
    assert [settings.intervals_at(p) for p in (0, 0.24, 0.26, 0.51, 0.76, 1.0)] == [10, 10, 20, 40, 50, 50]
    assert CdSettings(intervals=18, final_intervals=18).intervals_at(1.0) == 18


def test_tuning_brings_both_levels_together() -> None:
    objective = make_objective(EctSettings(), SIGMA)

    def ratio(progress: float) -> float:
        draws = objective.draw((4000, 1, 1), torch.Generator().manual_seed(1), CPU, progress)
        return float((draws["r"] / draws["t"])[draws["t"] > 1].mean())

    ratios = [ratio(p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert ratios[:4] == sorted(set(ratios[:4]))
    assert ratios[3] == ratios[4] > 0.98


@pytest.mark.parametrize("settings", ALL.values(), ids=ALL)
@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_draws_are_reproducible_and_within_the_levels(settings: Any, progress: float) -> None:
    objective = make_objective(settings, SIGMA)
    first, second = (objective.draw((3000, K, M), torch.Generator().manual_seed(8), CPU, progress) for _ in range(2))
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert len(value) == 3000, name
        assert torch.equal(value, second[name])
    t = first["sigma" if "sigma" in first else "t"]
    assert t.max() <= SIGMA.max * (1 + 1e-5)
    assert t.min() >= SIGMA.min * (1 - 1e-5)
    if "r" in first:
        assert (first["r"] < t).all()
        assert first["r"].min() >= SIGMA.min * (1 - 1e-5)


def real_head() -> tuple[ConsistencyNetwork, Denoiser]:
    """A small real head with random weights, bound to a context."""
    torch.manual_seed(3)
    network = ConsistencyNetwork(
        mel_bands=6, block_frames=3, controls=4, timbres=2, timbre_dims=2, width=16, context_depth=1, head_depth=2
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.3)
    context, c = torch.randn(8, 16 + 12), torch.randn(8, 3, 256)
    return network, lambda x, t: network.head(x, t, context.to(x.dtype), c.to(x.dtype))


@pytest.mark.parametrize("settings", ALL.values(), ids=ALL)
def test_losses_through_the_real_head_in_autocast(settings: Any) -> None:
    """(N,) finite float32 losses whose gradient reaches the student and not the teacher."""
    objective = make_objective(settings, SIGMA)
    (network, f), (other, teacher) = real_head(), real_head()
    generator = torch.Generator().manual_seed(6)
    draws = objective.draw((8, 3, 6), generator, CPU, 0.7)
    with torch.autocast("cpu", torch.bfloat16):
        losses, figures = objective.loss(
            f, torch.randn(8, 3, 6, generator=generator), draws, teacher=teacher if objective.needs_teacher else None
        )
    torch.autograd.backward(losses.mean())
    assert losses.shape == (8,)
    assert losses.dtype == torch.float32
    assert losses.isfinite().all()
    assert not any(figure.requires_grad or figure.ndim for figure in figures.values())
    gradients = [parameter.grad for parameter in network.head.parameters()]
    assert all(g is not None and g.isfinite().all() and g.any() for g in gradients)
    assert all(parameter.grad is None for parameter in other.parameters())


def test_forward_differentiation_of_the_real_head() -> None:
    network, f = real_head()
    network.double()
    x, v, t = torch.randn(8, 3, 6).double(), torch.randn(8, 3, 6).double(), torch.rand(8).double() + 1
    h = 1e-5
    with torch.no_grad():
        _, slope = torch.func.jvp(f, (x, t), (v, torch.ones_like(t)))[:2]
        difference = (f(x + h * v, t + h) - f(x - h * v, t - h)) / (2 * h)
    assert (slope - difference).abs().max() < 1e-2 * slope.abs().max()  # the head ends in float32


@pytest.mark.parametrize("settings", ALL.values(), ids=ALL)
def test_a_step_never_waits_for_the_device(settings: Any) -> None:
    """Fake tensors have no values to ask for: a branch or a number taken from one raises."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    objective = make_objective(settings, SIGMA)
    with FakeTensorMode():
        network = ToyNetwork()
        draws = objective.draw((8, K, M), torch.Generator(), CPU, 0.5)
        losses, _ = objective.loss(network, torch.randn(8, K, M), draws, teacher=exact_denoiser)
        with pytest.raises(Exception, match="local_scalar"):
            losses[0].item()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"objective": "sct"}, "'edm', 'cd', 'ect', 'scm', 'energy'"),
        ({"objective": "ect", "stagse": 4}, "Extra inputs"),
        ({"objective": "ect", "q": 1}, "greater than 1"),
        ({"objective": "edm", "sigma_std": 0}, "greater than 0"),
        ({"objective": "edm", "sigma_mean": math.nan}, "finite"),
        ({"objective": "cd", "intervals": 40, "final_intervals": 20}, "at least intervals 40"),
        ({"objective": "scm", "warm_up": 2}, "less than or equal to 1"),
    ],
)
def test_wrong_settings_say_what_is_allowed(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TypeAdapter(ObjectiveSettings).validate_python(given)
