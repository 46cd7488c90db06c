"""The loop: exact resume, any number of processes, checkpoints that are whole or absent, losses that are not finite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.training.config import Crops, LoopSettings
from cmaudio.training.run import checkpoint
from cmaudio.training.run.boards import TensorBoard
from cmaudio.training.run.journal import Journal
from cmaudio.training.run.loop import Trainer

CROPS = Crops(clips=8, frames=8, chunk_clips=2)


class ToyBatch(SimpleNamespace):
    """Inputs and targets of a linear map."""


class ToyCorpus:
    """Crops that depend on step and chunk alone."""

    def __init__(self, seed: int = 0, bad_step: int | None = None) -> None:
        self.seed, self.bad_step = seed, bad_step

    def batch(self, step: int, chunk: int, crops: Crops) -> tuple[Any, torch.Generator]:
        generator = torch.Generator().manual_seed(1000 * step + chunk + self.seed)
        x = torch.randn(crops.chunk_clips, 5, generator=generator)
        if step == self.bad_step and chunk == 1:
            x[0, 0] = torch.nan
        return ToyBatch(x=x, y=x @ torch.arange(1.0, 6)), generator


class ToyTask:
    """Two turns over a shared network, as a vocoder and its discriminators have; the second begins late."""

    turns = ("first", "second")

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.nets = {"first": nn.Linear(5, 1), "second": nn.Linear(1, 1)}

    def modules(self) -> Mapping[str, nn.Module]:
        return self.nets

    def averaged(self) -> str:
        return "first"

    def optimiser(self, turn: str, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        return (torch.optim.AdamW if turn == "first" else torch.optim.RAdam)(parameters, 1e-2)

    def learning_rate(self, turn: str, progress: float) -> float:
        return 1e-2 if turn == "first" or progress >= 0.5 else 0.0

    def gradient_norm(self, turn: str) -> float:
        return 1.0

    def draw(self, batch: Any, generator: torch.Generator, progress: float) -> Mapping[str, Tensor]:
        return {"noise": torch.randn(batch.x.shape, generator=generator)}

    def loss(
        self, turn: str, batch: Any, draws: Mapping[str, Tensor], progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        y = self.nets["first"](batch.x + 0.1 * draws["noise"])
        if turn == "second":
            y = self.nets["second"](y)
        loss = (y[:, 0] - batch.y).square().mean()
        return loss, {"loss": loss.detach()}


def trainer(
    folder: Path, steps: int = 12, corpus: Any = None, fabric: Fabric | None = None, **settings: Any
) -> Trainer:
    chosen = LoopSettings(precision="32-true", compile=False, log_steps=2, checkpoint_minutes=1e-9, keep=2)
    folder.mkdir(exist_ok=True, parents=True)
    made = fabric or Fabric(accelerator="cpu", devices=1)
    return Trainer(
        made,
        ToyTask(),
        corpus or ToyCorpus(),
        name="toy",
        steps=steps,
        crops=CROPS,
        ema=0.9,
        settings=chosen.model_copy(update=settings),
        folder=folder,
        journal=Journal(folder, None, made.is_global_zero, [TensorBoard(folder / "log")]),
    )


def weights(t: Trainer) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in t._tensors().items()}


def weight_of(module: nn.Module) -> Tensor:
    return module.get_parameter("weight").detach()


def assert_same(a: Mapping[str, Tensor], b: Mapping[str, Tensor], rtol: float = 0, atol: float = 0) -> None:
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=rtol, atol=atol, msg=name)


def test_training_learns_and_returns_the_averaged_weights(tmp_path: Path) -> None:
    t = trainer(tmp_path, steps=600)
    before = (weight_of(t.average) - torch.arange(1.0, 6)).norm()
    average = t.run()
    after = (weight_of(average) - torch.arange(1.0, 6)).norm()
    assert after < 0.3 * before
    assert not torch.equal(weight_of(average), weight_of(t.modules["first"]))


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    first = trainer(tmp_path / "parts")
    first.resume()
    for _ in range(7):
        first.take_step()
    first.save()
    first.take_step()  # is lost, as by kill -9 after the checkpoint
    second = trainer(tmp_path / "parts")
    second.run()
    assert second.step == 12
    assert_same(weights(whole), weights(second))


def test_a_turn_with_zero_learning_rate_is_skipped(tmp_path: Path) -> None:
    t = trainer(tmp_path)
    before = weight_of(t.modules["second"]).clone()
    for _ in range(6):
        t.take_step()
    assert torch.equal(before, weight_of(t.modules["second"]))
    t.take_step()
    assert not torch.equal(before, weight_of(t.modules["second"]))


def test_gradients_do_not_depend_on_chunking(tmp_path: Path) -> None:
    """Two chunks summed give the gradient of their joint mean."""
    t = trainer(tmp_path)
    chunks = t.chunks(0)
    t._take_turn("first", 1e-9, chunks, 0.0)
    summed = [p.grad.clone() for p in t.modules["first"].parameters() if p.grad is not None]
    task = ToyTask()
    losses = [task.loss("first", batch, draws, 0.0)[0] for batch, draws in chunks]
    torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
    joint = [p.grad for p in task.nets["first"].parameters() if p.grad is not None]
    nn.utils.clip_grad_norm_(task.nets["first"].parameters(), 1.0)
    for a, b in zip(summed, joint, strict=True):
        torch.testing.assert_close(a, b)


def test_old_checkpoints_are_deleted_and_partial_ones_ignored(tmp_path: Path) -> None:
    trainer(tmp_path).run()
    folder = tmp_path / "checkpoints"
    assert [p.name for p in checkpoint.checkpoints(folder, "toy")] == [
        "toy-000000011.safetensors",
        "toy-000000012.safetensors",
    ]
    (folder / "toy-000000099.safetensors.part").write_bytes(b"half")
    assert checkpoint.newest(folder, "toy") == folder / "toy-000000012.safetensors"


def test_a_full_disk_keeps_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    t = trainer(tmp_path)
    t.take_step()
    t.save()

    def full(tensors: Any, path: Path, about: Any) -> None:
        path.write_bytes(b"x" * 10)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    t.take_step()
    with pytest.raises(CmaudioError, match=r"No space left on device.*last complete checkpoint"):
        t.save()
    assert [p.name for p in sorted((tmp_path / "checkpoints").iterdir())] == ["toy-000000001.safetensors"]


def test_a_non_finite_loss_ends_the_run_and_saves_its_batch(tmp_path: Path) -> None:
    t = trainer(tmp_path, corpus=ToyCorpus(bad_step=7))
    with pytest.raises(CmaudioError, match="step 7 is not finite") as caught:
        t.run()
    saved, about = checkpoint.load_tensors(tmp_path / "bad-batch-toy-000000007.safetensors")
    assert about == {"stage": "toy", "step": 7}
    assert saved["1.batch.x"][0, 0].isnan()
    assert saved["0.batch.x"].isfinite().all()
    assert "toy-000000007" in str(caught.value)
    good, _ = checkpoint.load_tensors(tmp_path / "checkpoints" / "toy-000000007.safetensors")
    assert all(tensor.isfinite().all() for tensor in good.values())


def test_checkpoints_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    t = trainer(tmp_path)
    t.take_step()
    t.save()
    path = tmp_path / "checkpoints" / "toy-000000001.safetensors"
    with pytest.raises(CmaudioError, match="12 steps, not 13"):
        trainer(tmp_path, steps=13).run()
    tensors, about = checkpoint.load_tensors(path)
    checkpoint.save_tensors(path, tensors | {"first/weight": torch.zeros(1, 7)}, about)
    with pytest.raises(CmaudioError, match=r"weight is \(1, 7\), not \(1, 5\)"):
        trainer(tmp_path).run()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CmaudioError, match="can be read"):
        trainer(tmp_path).run()


def test_metrics_are_written_as_they_come(tmp_path: Path) -> None:
    trainer(tmp_path).run()
    rows = [json.loads(line) for line in (tmp_path / "figures.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 6, 8, 10, 12]
    assert all(row["first/loss"] > 0 for row in rows)
    assert "second/loss" not in rows[0]
    assert list((tmp_path / "log").glob("events*"))


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from lightning_fabric import Fabric
import test_loop as toy
fabric = Fabric(accelerator="cpu", devices={processes}, strategy="{strategy}")
fabric.launch()
t = toy.trainer(Path({folder!r}), fabric=fabric, steps={steps})
t.run()
"""


def run_script(tmp_path: Path, processes: int, steps: int = 12) -> subprocess.Popen[str]:
    folder = tmp_path / f"run{processes}"
    strategy = "ddp" if processes > 1 else "auto"
    script = tmp_path / f"script{processes}.py"
    fields = {"tests": str(Path(__file__).parent), "processes": processes, "strategy": strategy, "steps": steps}
    script.write_text(textwrap.dedent(SCRIPT).format(folder=str(folder), **fields))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(script)], env=environment, stderr=subprocess.PIPE, text=True)


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    one, two = run_script(tmp_path, 1), run_script(tmp_path, 2)
    for process in (one, two):
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    losses = []
    for processes in (1, 2):
        rows = (tmp_path / f"run{processes}" / "figures.jsonl").read_text().splitlines()
        losses.append([json.loads(row)["first/loss"] for row in rows])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    last = "checkpoints/toy-000000012.safetensors"
    a, _ = checkpoint.load_tensors(tmp_path / "run1" / last)
    b, _ = checkpoint.load_tensors(tmp_path / "run2" / last)
    assert_same(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_terminated_run_resumes_exactly(tmp_path: Path, number: int) -> None:
    steps = 4000
    process = run_script(tmp_path, 1, steps)
    folder = tmp_path / "run1" / "checkpoints"
    while process.poll() is None and len(checkpoint.checkpoints(folder, "toy")) < 2:
        pass
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    if number == signal.SIGTERM:
        assert "re-run the command to resume" in errors
    kept = checkpoint.newest(folder, "toy")
    assert kept is not None
    _, about = checkpoint.load_tensors(kept)
    assert 0 < about["step"] < steps
    whole = trainer(tmp_path / "whole", steps=steps, checkpoint_minutes=60.0)
    again = trainer(tmp_path / "run1", steps=steps, checkpoint_minutes=60.0)
    again.resume()
    assert again.step == about["step"]
    while whole.step < again.step + 3:
        whole.take_step()
    while again.step < whole.step:
        again.take_step()
    assert_same(weights(whole), weights(again))
