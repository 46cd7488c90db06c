"""The loss of mel frames and their power tells levels and colours apart, and hears no silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor

from cmaudio.signal.dsp import Mel, Stft
from cmaudio.training.corpus.clip import Signal
from cmaudio.training.tasks.frame_loss import FrameLoss

RATE, HOP, FRAMES = 16_000, 64, 64
SIGNAL = Signal(Stft(4 * HOP, HOP), Mel(RATE, 4 * HOP, 24, 20.0, 8000.0, 3e-4))
EVERY_FRAME = torch.ones(1, FRAMES, dtype=torch.bool)

pytestmark = pytest.mark.usefixtures("one_thread")


def noise(seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, FRAMES * HOP, generator=torch.Generator().manual_seed(seed))


def distance(ours: Tensor, recorded: Tensor, compared: Tensor = EVERY_FRAME) -> float:
    return float(FrameLoss(SIGNAL)(ours, recorded, compared))


@pytest.mark.parametrize("db", [-20, -6, 6, 20])
def test_a_change_of_level_counts_as_its_decades(db: float) -> None:
    assert distance(noise() * 10 ** (db / 20), noise()) == pytest.approx(abs(db) / 20, rel=0.02)


def test_another_draw_of_the_same_noise_is_nearer_than_one_of_another_colour() -> None:
    bright = noise(1).diff(prepend=torch.zeros(1, 1))
    assert distance(noise(1), noise()) < 0.6 * distance(bright, noise())


def test_power_counts_besides_the_median() -> None:
    """A few loud frames hardly move the mean of logarithms; they hold nearly all of the power."""
    loud = noise()
    loud[:, ::16] *= 40
    few = loud.clone()
    few[:, : 16 * HOP] = noise()[:, : 16 * HOP]
    assert distance(noise(), loud) > distance(noise(), few) > 0.05


@pytest.mark.parametrize(
    ("ours", "counted"), [(torch.zeros_like, False), (lambda x: 1e-8 * noise(), False), (lambda x: noise(), True)]
)
def test_sound_in_silence_counts_if_it_is_heard(ours: Callable[[Tensor], Tensor], counted: bool) -> None:
    silent = torch.zeros(1, FRAMES * HOP)
    assert (distance(ours(silent), silent) > 0) == counted


def test_only_the_compared_frames_count() -> None:
    compared = EVERY_FRAME.clone()
    compared[:, 32:] = False
    other = noise()
    other[:, 32 * HOP :] *= 9
    assert distance(other, noise(), compared) == 0
    assert distance(other, noise()) > 0.1


def test_nothing_compared_is_no_distance_and_has_a_gradient() -> None:
    ours = noise().requires_grad_()
    loss = FrameLoss(SIGNAL)(ours, noise(1), torch.zeros_like(EVERY_FRAME))
    loss.backward()
    assert loss == 0
    assert ours.grad is not None
    assert ours.grad.isfinite().all()
