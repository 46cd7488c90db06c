"""Losses of the objectives: tangents, schedules, levels, precision, and wrong settings."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("torch")
import torch
from fixtures.toy_objectives import (
    ALL,
    CPU,
    MU,
    SD,
    SIGMA,
    K,
    M,
    ToyNetwork,
    exact_denoiser,
    exact_map,
    normal_data,
)
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.objectives.build import make_objective
from cmaudio.training.objectives.consistency_distillation import probability_flow
from cmaudio.training.objectives.objective import Denoiser
from cmaudio.training.objectives.settings import (
    CdSettings,
    EctSettings,
    EnergySettings,
    ObjectiveSettings,
    ScmSettings,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_samples_at_sigma_max_do_not_depend_on_the_data() -> None:
    """Otherwise the score would be lowest for a network that returns its input."""
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


def test_the_probability_flow_solver_is_second_order() -> None:
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


def test_easy_consistency_tuning_narrows_the_gap_between_levels() -> None:
    objective = make_objective(EctSettings(), SIGMA)

    def ratio(progress: float) -> float:
        draws = objective.draw((4000, 1, 1), torch.Generator().manual_seed(1), CPU, progress)
        return float((draws["r"] / draws["t"])[draws["t"] > 1].mean())

    ratios = [ratio(p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert ratios[:4] == sorted(set(ratios[:4]))
    assert ratios[3] == ratios[4] > 0.98


@pytest.mark.parametrize("settings", ALL.values(), ids=ALL)
@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_noise_samples_are_reproducible_and_within_the_noise_levels(settings: Any, progress: float) -> None:
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
def test_losses_are_finite_float32_under_autocast(settings: Any) -> None:
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


def test_forward_mode_derivative_equals_finite_differences() -> None:
    network, f = real_head()
    network.double()
    x, v, t = torch.randn(8, 3, 6).double(), torch.randn(8, 3, 6).double(), torch.rand(8).double() + 1
    h = 1e-5
    with torch.no_grad():
        _, slope = torch.func.jvp(f, (x, t), (v, torch.ones_like(t)))[:2]
        difference = (f(x + h * v, t + h) - f(x - h * v, t - h)) / (2 * h)
    assert (slope - difference).abs().max() < 1e-2 * slope.abs().max()  # the head ends in float32


@pytest.mark.parametrize("settings", ALL.values(), ids=ALL)
def test_a_training_step_never_synchronises_with_the_device(settings: Any) -> None:
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
        ({"objective": "sct"}, "there are edm, cd, ect, scm, energy"),
        ({"objective": "ect", "stagse": 4}, "Extra inputs"),
        ({"objective": "ect", "q": 1}, "greater than 1"),
        ({"objective": "edm", "sigma_std": 0}, "greater than 0"),
        ({"objective": "edm", "sigma_mean": math.nan}, "finite"),
        ({"objective": "cd", "intervals": 40, "final_intervals": 20}, "at least intervals 40"),
        ({"objective": "scm", "warm_up": 2}, "less than or equal to 1"),
    ],
)
def test_errors_of_settings_name_what_is_allowed(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TypeAdapter(ObjectiveSettings).validate_python(given)
