"""The loss of the noise between partials tells how much noise there is, and nothing else."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor

from cmaudio.training.tasks.breath_loss import BreathLoss, steady_pitch

RATE, SAMPLES = 48_000, 32_768

pytestmark = pytest.mark.usefixtures("one_thread")


def note(f0: float, noise_db: float, seed: int, *, partials_db: float = 0.0) -> Tensor:
    """(N,) a harmonic note in noise of a level relative to its first partial."""
    noise = torch.randn(SAMPLES, generator=torch.Generator().manual_seed(seed)) * 10 ** (noise_db / 20)
    return _harmonics(f0) * 10 ** (partials_db / 20) + noise


def _harmonics(f0: float) -> Tensor:
    time = torch.arange(SAMPLES) / RATE
    return torch.stack([torch.cos(2 * torch.pi * f0 * k * time) / k for k in range(1, int(20_000 / f0))]).sum(0)


def distance(ours: Tensor, recorded: Tensor, f0: float) -> float:
    return float(BreathLoss(RATE)(ours[None], recorded[None], torch.tensor([f0])))


def test_it_grows_with_the_difference_of_the_noise_either_way() -> None:
    recorded = note(440.0, -50, seed=0)
    levels = (-70, -60, -55, -50, -45, -40, -30)
    found = [distance(note(440.0, level, seed=1), recorded, 440.0) for level in levels]
    assert found[3] < 0.1
    assert found[:4] == sorted(found[:4], reverse=True)
    assert found[3:] == sorted(found[3:])
    assert found[5] == pytest.approx(1.0, abs=0.15)  # 10 dB


@pytest.mark.parametrize(
    ("f0", "counted"),
    [(0.0, False), (50.0, False), (110.0, True), (440.0, True), (1760.0, True)],
    ids=["unpitched", "partials that no window separates", "A2", "A4", "A6"],
)
def test_it_counts_where_partials_can_be_told_from_noise(f0: float, counted: bool) -> None:
    played = f0 or 440.0
    found = distance(note(played, -30, seed=1), note(played, -50, seed=0), f0)
    assert (found > 0.3) == counted


def test_partials_of_another_series_are_not_taken_for_noise() -> None:
    both = note(440.0, -50, seed=0) + _harmonics(660.0)
    assert distance(note(440.0, -50, seed=1), both, 440.0) < 0.3
    assert distance(note(440.0, -30, seed=1), both, 440.0) > 1


def test_a_quieter_copy_of_the_partials_changes_nothing_where_the_noise_is_as_recorded() -> None:
    recorded = note(440.0, -40, seed=0)
    assert distance(note(440.0, -40, seed=1, partials_db=-1), recorded, 440.0) < 0.1


@pytest.mark.parametrize(
    ("f0", "counted", "pitch"),
    [
        ([440, 440, 440], [True, True, True], 440),
        ([440, 466, 466], [True, True, True], 0),
        ([440, 466, 466], [False, True, True], 466),
        ([0, 440, 440], [True, True, True], 0),
        ([0, 0, 0], [True, True, True], 0),
        ([440, 440, 440], [False, False, False], 0),
    ],
    ids=["steady", "moves", "moves before it counts", "pitched in part", "unpitched", "nothing counts"],
)
def test_only_a_steady_pitch_is_used(f0: list[float], counted: list[bool], pitch: float) -> None:
    assert steady_pitch(torch.tensor([f0]).float(), torch.tensor([counted])).tolist() == [pitch]


def test_its_gradient_is_finite_for_silence() -> None:
    silence = torch.zeros(1, SAMPLES, requires_grad=True)
    BreathLoss(RATE)(silence, torch.zeros(1, SAMPLES), torch.tensor([440.0])).backward()
    assert silence.grad is not None
    assert torch.isfinite(silence.grad).all()
