"""A small vocoder learns the filters of a trained one, where they are audible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from cmaudio.signal import dsp
from cmaudio.training.config import VocoderSettings
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clip import Signal
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.tasks.vocoder_distillation import VocoderDistillation

RATE, HOP, BANDS = 16_000, 64, 24
STFT = dsp.Stft(4 * HOP, HOP)
SIGNAL = Signal(STFT, dsp.Mel(RATE, 4 * HOP, BANDS, 20.0, 8000.0, 3e-4))
H, H_PHASE, N, D, D_PHASE = (slice(i * STFT.bins, (i + 1) * STFT.bins) for i in range(5))

pytestmark = pytest.mark.usefixtures("one_thread")


def network(width: int, depth: int, seed: int) -> VocoderNetwork:
    torch.manual_seed(seed)
    made = VocoderNetwork(mel_bands=BANDS, bins=STFT.bins, width=width, depth=depth)
    torch.nn.init.normal_(made.out.weight, std=0.2)
    return made


def task() -> VocoderDistillation:
    return VocoderDistillation(
        network(16, 2, seed=1), network(32, 3, seed=2), SIGNAL, VocoderSettings(learning_rate=1e-2), steps=100
    )


def batch(seed: int, clips: int = 8, frames: int = 24) -> Batch:
    rng = np.random.default_rng(seed)
    mel = np.cumsum(rng.normal(0, 0.3, (clips, frames, BANDS)), 1).astype(np.float32)
    f0 = np.repeat(rng.uniform(100, 400, (clips, 1)).astype(np.float32), frames, 1)
    f0[0] = 0
    scored = torch.ones(clips, frames, dtype=torch.bool)
    scored[::2, :8] = False
    none = torch.zeros(clips, 0)
    return Batch(
        mel=torch.from_numpy(mel),
        controls=torch.zeros(clips, frames, 1),
        timbre=torch.zeros(clips, dtype=torch.long),
        f0=torch.from_numpy(f0),
        audio=none,
        scored=scored,
    )


def loss_of(task: VocoderDistillation, b: Batch) -> float:
    with torch.no_grad():
        return float(task.loss("vocoder", b, {}, 0.0)[0])


def with_bias(task: VocoderDistillation, part: slice, shift: float) -> VocoderDistillation:
    """The task, its teacher's filters shifted in one part, and the vocoder being the teacher before that."""
    task.network.load_state_dict(task.teacher.state_dict())
    with torch.no_grad():
        task.teacher.out.bias[part] += shift
    return task


def same_networks() -> VocoderDistillation:
    return VocoderDistillation(network(16, 2, 1), network(16, 2, 1), SIGNAL, VocoderSettings(), steps=100)


def test_the_filters_of_the_teacher_are_learned() -> None:
    learning = task()
    before = loss_of(learning, batch(99))
    optimiser = learning.optimiser("vocoder", learning.network.parameters())
    teacher = {name: tensor.clone() for name, tensor in learning.teacher.state_dict().items()}
    for step in range(120):
        loss, _ = learning.loss("vocoder", batch(step), {}, 0.0)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert loss_of(learning, batch(99)) < 0.6 * before
    assert all(torch.equal(teacher[name], tensor) for name, tensor in learning.teacher.state_dict().items())


def test_equal_networks_have_no_distance() -> None:
    assert loss_of(same_networks(), batch(0)) == 0


@pytest.mark.parametrize("part", [H, H_PHASE, N, D, D_PHASE], ids=["H", "phase of H", "N", "D", "phase of D"])
def test_every_part_of_the_filters_is_scored(part: slice) -> None:
    assert loss_of(with_bias(same_networks(), part, 1.0), batch(0)) > 0.1


def test_what_is_masked_or_below_the_floor_is_not_scored() -> None:
    quiet = same_networks()
    with torch.no_grad():
        for each in (quiet.network, quiet.teacher):
            each.out.weight.zero_()
            each.out.bias.zero_()
            each.out.bias[D] = -7.0  # 60 dB below the other parts
        quiet.teacher.out.bias[D] = -9.0
        quiet.teacher.out.bias[D_PHASE] = 2.0
    assert loss_of(quiet, batch(0)) < 0.01
    with torch.no_grad():
        for each in (quiet.network, quiet.teacher):
            each.out.bias.fill_(-20.0)
        quiet.teacher.out.bias[N] = -14.0
    assert loss_of(quiet, batch(0)) < 0.01


def test_harmonics_are_not_scored_without_pitch_nor_is_the_warm_up() -> None:
    unpitched = replace(batch(0), f0=torch.zeros(8, 24))
    assert loss_of(with_bias(same_networks(), H, 1.0), unpitched) == 0
    learning, b = task(), batch(0)
    silent = torch.full_like(b.scored, False)
    assert loss_of(learning, replace(b, scored=silent)) == 0
    assert loss_of(learning, replace(b, scored=torch.ones_like(silent))) != loss_of(learning, b) > 0
