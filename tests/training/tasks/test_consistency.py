"""The consistency task: all blocks of a crop at once are what playing makes one after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")
import torch

from cmaudio.model.manifest import NoiseLevels
from cmaudio.speech.features import ENERGY_COLUMN, SINCE_COLUMN
from cmaudio.training.config import ConsistencyStage
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.tasks.consistency import (
    ATTACK_BLOCKS,
    Conditioned,
    ConsistencyTask,
    one_step,
    to_blocks,
    with_energy_noise,
)
from cmaudio.training.tasks.generate import free_run
from cmaudio.training.tasks.rollout import rollout

CLIPS, FRAMES, BANDS, CONTROLS, K = 3, 48, 8, 6, 4
SIGMA = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1, temperature=0.7)


pytestmark = pytest.mark.usefixtures("one_thread")


def make_network(seed: int = 0) -> ConsistencyNetwork:
    torch.manual_seed(seed)
    network = ConsistencyNetwork(
        mel_bands=BANDS,
        block_frames=K,
        controls=CONTROLS,
        timbres=2,
        timbre_dims=3,
        width=12,
        context_depth=2,
        head_depth=2,
        conditioning=10,
    )
    with torch.no_grad():
        for parameter in network.parameters():  # what starts at zero would hide a wrong past
            parameter.normal_(0, 0.5 / max(1, parameter.shape[-1]) ** 0.5)
    return network


def make_batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    scored = torch.ones(CLIPS, FRAMES, dtype=torch.bool)
    scored[1, :10] = False
    scored[2, 30:] = False
    return Batch(
        mel=torch.randn(CLIPS, FRAMES, BANDS, generator=generator),
        controls=torch.randn(CLIPS, FRAMES, CONTROLS, generator=generator),
        timbre=torch.tensor([0, 1, 0]),
        f0=torch.zeros(CLIPS, FRAMES),
        audio=torch.zeros(CLIPS, 0),
        scored=scored,
    )


def make_task(objective: str = "ect", **stage: object) -> ConsistencyTask:
    settings = ConsistencyStage.model_validate({"objective": {"objective": objective}, "steps": 10, **stage})
    return ConsistencyTask(make_network(), settings, SIGMA, teacher=make_network(1))


@torch.no_grad()
def test_rollout_with_enough_passes_equals_free_running() -> None:
    """The parallel form, repeated, against the streaming form: same noise, same frames."""
    network, batch = make_network(), make_batch()
    blocks = FRAMES // K - 1
    generator = torch.Generator().manual_seed(3)
    streamed = free_run(network, batch, SIGMA, generator)
    again = torch.Generator().manual_seed(3)
    drawn = [torch.randn(2, CLIPS, K, BANDS, generator=again) for _ in range(blocks)]
    context = torch.cat([*(both[0] for both in drawn), torch.zeros(CLIPS, K, BANDS)], 1)
    noise = torch.stack([both[1] for both in drawn], 1).flatten(0, 1)
    conditioned = Conditioned(network, compiled=False)
    made = rollout(lambda past: one_step(conditioned, batch, past, noise, context, SIGMA), batch.mel, K, blocks)
    torch.testing.assert_close(made, streamed, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_block_depends_only_on_its_past_and_its_own_controls() -> None:
    network, batch = make_network(), make_batch()
    conditioned = Conditioned(network, compiled=False)
    level = torch.full((CLIPS,), 0.1)
    contexts, conditioning = conditioned.condition(batch, batch.mel, level)
    mel = batch.mel.clone()
    mel[:, 5 * K :] += 1  # from the sixth block on
    later, _ = conditioned.condition(batch, mel, level)
    per_clip = FRAMES // K - 1
    a, b = (x.reshape(CLIPS, per_clip, -1) for x in (contexts, later))
    torch.testing.assert_close(a[:, :5], b[:, :5])  # blocks 1..5 come before or are the sixth
    assert not torch.allclose(a[:, 5], b[:, 5])
    controls = batch.controls.clone()
    controls[:, 2 * K : 3 * K] += 1
    _, moved = conditioned.condition(replace(batch, controls=controls), batch.mel, level)
    same = (moved == conditioning).reshape(CLIPS, per_clip, -1).all(-1)
    assert same.tolist() == [[i != 1 for i in range(per_clip)]] * CLIPS


@pytest.mark.parametrize("objective", ["edm", "ect", "cd", "scm"])
def test_unscored_blocks_do_not_contribute_to_the_loss(objective: str) -> None:
    task, batch = make_task(objective), make_batch()
    draws = task.draw(batch, torch.Generator().manual_seed(0), 0.5)
    loss = task.loss("network", batch, draws, 0.5)[0]
    mel = batch.mel.clone()
    mel[2, 32:] += 3  # clip 2 ends with frame 30: its block of frames 28..31 is the last that is partly there
    assert task.loss("network", replace(batch, mel=mel), draws, 0.5)[0].item() == pytest.approx(loss.item(), rel=1e-5)
    mel[0, 40:] += 3
    assert task.loss("network", replace(batch, mel=mel), draws, 0.5)[0].item() != pytest.approx(loss.item(), rel=1e-3)
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in task.network.parameters())


def test_attacks_have_a_higher_loss_weight() -> None:
    batch = make_batch()
    plain, more = make_task()._weights(batch), make_task(attack_weight=3.0)._weights(batch)
    per_clip = FRAMES // K - 1
    ratio = (more / plain.clamp(min=1e-9)).reshape(CLIPS, per_clip)
    assert ratio[0].tolist() == [3.0] * ATTACK_BLOCKS + [1.0] * (per_clip - ATTACK_BLOCKS)
    assert set(ratio[1].tolist()) == {0.0, 1.0}  # begins inside its clip: no attack there


def test_rollout_changes_the_past_of_some_clips_only() -> None:
    task, batch = make_task(rollout_passes=2, rollout_share=0.6), make_batch()
    past = task._past(batch, task.draw(batch, torch.Generator().manual_seed(0), 0.0))
    assert torch.equal(past[2], batch.mel[2])
    assert torch.equal(past[:, :K], batch.mel[:, :K])
    assert not any(torch.equal(past[i], batch.mel[i]) for i in (0, 1))
    assert not past.requires_grad


def test_energy_noise_is_constant_within_a_phoneme() -> None:
    batch = make_batch()
    since = torch.tensor([0.1, 0.2, 0.3, 0.1, 0.2, 0.1, 0.2, 0.3]).repeat(CLIPS, 1)
    controls = torch.zeros(CLIPS, 8, 2 * ENERGY_COLUMN)
    controls[..., SINCE_COLUMN] = since
    spoken = replace(batch, mel=batch.mel[:, :8], controls=controls)
    assert "energy_noise" not in make_task().draw(spoken, torch.Generator().manual_seed(0), 0.0)
    noise = make_task(energy_noise=0.3).draw(spoken, torch.Generator().manual_seed(0), 0.0)["energy_noise"]
    told = with_energy_noise(controls, noise)
    assert torch.equal(told[..., ENERGY_COLUMN], noise[:, [0, 0, 0, 1, 1, 2, 2, 2]])
    assert torch.equal(told[..., :ENERGY_COLUMN], controls[..., :ENERGY_COLUMN])
    assert 0 < float(noise.abs().max()) < 1.5


def test_samples_of_a_network_with_dropout_differ_only_in_noise() -> None:
    torch.manual_seed(0)
    network = ConsistencyNetwork(
        mel_bands=BANDS, block_frames=K, controls=CONTROLS, timbres=2, timbre_dims=3, width=12, context_depth=2,
        head_depth=2, conditioning=10, dropout=0.5,
    )  # fmt: skip
    torch.nn.init.normal_(network.head.out.weight)
    for modulation in (network.context_encoder.modulation, network.head.modulation):
        torch.nn.init.normal_(modulation.linear.weight)
    batch, asked = make_batch(), Conditioned(network, compiled=False)
    level = torch.full((CLIPS,), 0.1)
    first, second = (asked.condition(batch, batch.mel, level) for _ in range(2))
    assert not torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])
    f, noise = asked.denoiser(*first), torch.randn(len(first[0]), K, BANDS)
    sigma = torch.full((len(noise),), SIGMA.max)
    assert torch.equal(f(noise, sigma), f(noise, sigma))
    network.eval()
    still, again = (asked.condition(batch, batch.mel, level) for _ in range(2))
    assert torch.equal(still[0], again[0])


def test_context_noise_is_near_zero_for_a_quarter_of_clips() -> None:
    task = make_task(context_noise=1.5)
    batch = make_batch()
    many = replace(batch, mel=torch.zeros(400, 8, BANDS))
    level = task.draw(many, torch.Generator().manual_seed(0), 0.0)["context_level"]
    assert 0.2 < float((level < 2e-3).float().mean()) < 0.4
    assert 1.2 < float(level.max()) <= 1.501


def test_to_blocks_leaves_out_the_first_block() -> None:
    frames = torch.arange(2 * 12).reshape(2, 12, 1)
    assert to_blocks(frames, 4)[:, 0, 0].tolist() == [4, 8, 16, 20]
