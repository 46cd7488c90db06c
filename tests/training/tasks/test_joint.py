"""Joint training of student and vocoder: which networks each clip passes through, and which ones learn from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import nn

from cmaudio.model.manifest import NoiseLevels
from cmaudio.signal import dsp
from cmaudio.training.config import JointStage
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clip import Signal, log_mel
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.tasks.generated_mels import CONTEXT_FRAMES
from cmaudio.training.tasks.joint import JointTask

RATE, HOP, BANDS, K = 16_000, 64, 24, 4
SIGNAL = Signal(dsp.Stft(4 * HOP, HOP), dsp.Mel(RATE, 4 * HOP, BANDS, 20.0, 8000.0, 3e-4))
SIGMA = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)


pytestmark = pytest.mark.usefixtures("one_thread")


def make_task(**settings: object) -> JointTask:
    torch.manual_seed(0)
    stage = {
        "steps": 100,
        "crops": {"clips": 4, "frames": 40, "warm_up_frames": 8},
        "losses": {"windows": [256], "periods": [2], "channels": 4, "warmup": 0.5},
        "generated_share": 0.5,
        **settings,
    }
    network = ConsistencyNetwork(
        mel_bands=BANDS, block_frames=K, controls=1, timbres=1, timbre_dims=2, width=24, context_depth=1, head_depth=2,
        conditioning=16,
    )  # fmt: skip
    with torch.no_grad():
        for parameter in network.parameters():  # what starts at zero would keep the controls from the sound
            parameter.normal_(0, 0.5 / max(1, parameter.shape[-1]) ** 0.5)
    vocoder = VocoderNetwork(mel_bands=BANDS, bins=SIGNAL.stft.bins, width=24, depth=2)
    return JointTask(network, vocoder, JointStage.model_validate(stage), SIGNAL, SIGMA)


def make_batch(seed: int = 0, clips: int = 4) -> Batch:
    """Saws whose level follows a control; crops from inside their clips."""
    rng, frames = np.random.default_rng(seed), CONTEXT_FRAMES + 40
    time = np.arange(frames * HOP) / RATE
    saw = sum(np.sin(2 * np.pi * k * 220 * time) / k for k in range(1, 8))
    loud = np.repeat(rng.random((clips, frames // 20)) < 0.5, 20, 1)
    audio = (np.where(loud, 0.2, 0.02).repeat(HOP, 1) * saw).astype(np.float32)
    scored = torch.ones(clips, frames, dtype=torch.bool)
    scored[:, :CONTEXT_FRAMES] = False
    return Batch(
        mel=torch.from_numpy(np.stack([(log_mel(SIGNAL, x, 1.0) + 4) / 2 for x in audio])),
        controls=torch.from_numpy(loud.astype(np.float32))[..., None],
        timbre=torch.zeros(clips, dtype=torch.long),
        f0=torch.full((clips, frames), 220.0),
        audio=torch.from_numpy(audio),
        scored=scored,
    )


def loss_of(task: JointTask, batch: Batch, turn: str = "voice", progress: float = 0.0, seed: int = 0) -> torch.Tensor:
    given = task.draw(batch, torch.Generator().manual_seed(seed), progress)
    return task.loss(turn, batch, given, progress)[0]


def heard(task: JointTask, batch: Batch) -> float:
    with torch.no_grad():
        return float(loss_of(task, batch))


def moved(module: nn.Module) -> bool:
    return any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in module.parameters())


def test_each_turn_updates_only_its_own_networks() -> None:
    task = make_task(objective_weight=0.0)
    loss_of(task, make_batch(), progress=0.9).backward()  # type: ignore[no-untyped-call]
    assert moved(task.voice.network)
    assert moved(task.voice.vocoder)
    discriminators = task.modules()["discriminators"]
    assert not moved(discriminators)
    task.voice.zero_grad()
    loss_of(task, make_batch(), "discriminators", 0.9).backward()  # type: ignore[no-untyped-call]
    assert moved(discriminators)
    assert not moved(task.voice)


def test_clips_that_are_not_generated_use_recorded_mels() -> None:
    """Controls change the sound of generated clips, which the student makes, but not that of the others."""
    task, batch = make_task(objective_weight=0.0), make_batch()
    before = heard(task, batch)
    controls = batch.controls.clone()
    controls[2:] = 1 - controls[2:]
    assert heard(task, replace(batch, controls=controls)) == before
    controls[0] = 1 - controls[0]
    assert heard(task, replace(batch, controls=controls)) != before


def test_clips_that_are_not_generated_train_the_student_by_its_objective() -> None:
    batch = make_batch()
    few = make_task(generated_share=0.01)
    given = few.draw(batch, torch.Generator(), 0.0)
    assert len(given["joint_context_noise"]) == 1, "at least one is heard through both"
    assert "student" in few.loss("voice", batch, given, 0.0)[1]
    alone = make_task(generated_share=1.0)
    assert "student" not in alone.loss("voice", batch, alone.draw(batch, torch.Generator(), 0.0), 0.0)[1]


def test_the_student_learns_through_the_vocoder_loss_alone() -> None:
    task = make_task(generated_share=0.01, objective_weight=0.0, losses={"warmup": 1.0})

    def train(module: nn.Module, rate: float, steps: int) -> None:
        optimiser = torch.optim.AdamW(module.parameters(), rate)
        for step in range(steps):
            optimiser.zero_grad()
            loss_of(task, make_batch(step), seed=step).backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    train(task.voice.vocoder, 3e-3, 60)  # mostly on recorded mels: it learns to follow them
    task.stage = task.stage.model_copy(update={"generated_share": 1.0})
    before = heard(task, make_batch(99))
    train(task.voice.network, 3e-3, 120)
    assert heard(task, make_batch(99)) < 0.8 * before


def test_the_number_of_rollout_passes_changes_the_past() -> None:
    batch = make_batch()
    passes = [heard(make_task(rollout_passes=count), batch) for count in (0, 2, 2)]
    assert passes[0] != passes[1]
    assert passes[1] == passes[2]
