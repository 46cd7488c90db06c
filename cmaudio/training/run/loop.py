"""The training loop: steps of a task over a corpus, on one process or many, resumable at any step.

A step's batch is divided into chunks with their own random numbers; processes share the chunks, and gradients are
summed once per step. Hence one process and many give the same training, gradient accumulation needs no extra rule, and
a checkpoint holds only weights, optimiser states and the step number. A plain sum replaces DistributedDataParallel: two
optimisers alternate over shared networks here, and 70 MB of gradients take less than a millisecond to reduce.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.training.config import LoopSettings
from cmaudio.training.run import checkpoint
from cmaudio.training.run.journal import Journal
from cmaudio.training.run.processes import all_sum, any_flag, sum_gradients
from cmaudio.training.run.stop_signals import StopSignals
from cmaudio.training.tasks.task import Draws, Task

Transform = Callable[[Any, torch.Generator], Any]
_NEVER = 2**62


class Batches(Protocol):
    """Source of batches, each determined by step and chunk, with a generator for further random numbers."""

    def batch(self, step: int, chunk: int, crops: Any, /) -> tuple[Any, torch.Generator]: ...


class Chunked(Protocol):
    """Settings with the number of chunks into which a step's batch is divided."""

    @property
    def chunks(self) -> int: ...


class Stopped(CmaudioError):
    """The run was asked to stop (SIGTERM, Ctrl-C); a checkpoint has been written."""


class Trainer:
    """One stage of a run.

    Args:
        fabric: launched.
        task: what is trained, its modules on the fabric's device.
        corpus: source of batches.
        name: of the stage, and of its files.
        steps: of the stage.
        crops: how batches are chunked.
        ema: decay of the averaged weights.
        settings: how the run is computed.
        folder: of the run; checkpoints are in `checkpoints/`.
        journal: receives metrics.
        show: called with the step periodically, to show the output of the averaged module.
        on_saved: called in the first process after every checkpoint.
        transform: applied to each batch before the task sees it.
    """

    def __init__(
        self,
        fabric: Fabric,
        task: Task,
        corpus: Batches,
        *,
        name: str,
        steps: int,
        crops: Chunked,
        ema: float,
        settings: LoopSettings,
        folder: Path,
        journal: Journal,
        show: Callable[[int], None] | None = None,
        on_saved: Callable[[], object] = lambda: None,
        transform: Transform | None = None,
    ) -> None:
        self.fabric, self.task, self.corpus = fabric, task, corpus
        self.name, self.steps, self.crops, self.ema = name, steps, crops, ema
        self.settings, self.folder, self.journal, self.show = settings, folder / "checkpoints", journal, show
        self.on_saved = on_saved
        self.transform = transform or (lambda batch, generator: batch)
        self.step = 0
        self.modules = dict(task.modules())
        self._names = {turn: [name for name, _ in self.modules[turn].named_parameters()] for turn in task.turns}
        self.optimisers = {turn: task.optimiser(turn, self.modules[turn].parameters()) for turn in task.turns}
        self.average = copy.deepcopy(self.modules[task.averaged()]).requires_grad_(False).eval()
        self.stop = StopSignals()
        self._first_bad = torch.tensor(_NEVER, device=fabric.device)
        self._metrics: dict[str, Tensor] = {}  # sums since the last report
        self._reported = 0
        self._saved_at = time.monotonic()

    # -- a step ------------------------------------------------------------------------------------------------------

    def chunks(self, step: int) -> list[tuple[Any, Draws]]:
        """This process's part of a step's batch, with its random numbers."""
        mine = range(self.fabric.global_rank, self.crops.chunks, self.fabric.world_size)
        return [self.chunk(step, index) for index in mine]

    def chunk(self, step: int, index: int) -> tuple[Any, Draws]:
        batch, generator = self.corpus.batch(step, index, self.crops)
        batch = self.transform(batch, generator)
        return batch, self.task.draw(batch, generator, step / self.steps)

    def take_step(self) -> None:
        """One step of every turn whose learning rate is not zero."""
        progress = self.step / self.steps
        chunks = self.chunks(self.step)
        for turn in self.task.turns:
            rate = self.task.learning_rate(turn, progress)
            if rate > 0:
                self._take_turn(turn, rate, chunks, progress)
        with torch.no_grad():
            # The average follows closely at first, otherwise the initial weights would persist in it.
            beta = min(self.ema, self.step / (self.step + 10))
            trained: list[Tensor] = list(self.modules[self.task.averaged()].parameters())
            torch._foreach_lerp_(list[Tensor](self.average.parameters()), trained, 1 - beta)
        self.step += 1

    def _take_turn(self, turn: str, rate: float, chunks: list[tuple[Any, Draws]], progress: float) -> None:
        optimiser = self.optimisers[turn]
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        for batch, draws in chunks:
            with self.fabric.autocast():
                loss, metrics = self.task.loss(turn, batch, draws, progress)
            (loss / self.crops.chunks).backward()  # type: ignore[no-untyped-call]
            for key, value in metrics.items():
                self._add(f"{turn}/{key}", value.detach().float() / self.crops.chunks)
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        sum_gradients(self.fabric, parameters)
        norm = nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], self.task.gradient_norm(turn))
        # Reading a number makes the host wait for the device: the first bad step is noted there and read later.
        now = torch.full_like(self._first_bad, self.step)
        self._first_bad = torch.where(torch.isfinite(norm), self._first_bad, torch.minimum(self._first_bad, now))
        # Every process has the norm of the sum; the others' are added when metrics are.
        self._add(f"{turn}/gradient_norm", norm.float() / self.fabric.world_size)
        optimiser.step()

    def _add(self, key: str, value: Tensor) -> None:
        self._metrics.setdefault(key, torch.zeros((), device=value.device)).add_(value)

    # -- the run -----------------------------------------------------------------------------------------------------

    def run(self) -> nn.Module:
        """Train from the last checkpoint, if any, to the last step.

        Returns:
            The averaged module.

        Raises:
            Stopped: the process was asked to stop; a checkpoint has been written.
            CmaudioError: a loss is not finite (its batch is saved first), or a checkpoint cannot be written.
        """
        self.resume()
        self._saved_at = time.monotonic()
        with self.stop:
            while self.step < self.steps:
                self.take_step()
                if self.step % self.settings.log_steps == 0 or self.step == self.steps:
                    self._report()
                self._save_or_stop()
        return self.average

    def _save_or_stop(self) -> None:
        """Called after every step: with slow steps, `log_steps` of them would exceed a scheduler's notice period."""
        last = self.step == self.steps
        due = time.monotonic() - self._saved_at > 60 * self.settings.checkpoint_minutes
        due, stop = any_flag(self.fabric, due, self.stop.asked)
        if due or stop or last:
            self.save()
            self._saved_at = time.monotonic()
        if stop and not last:
            raise Stopped(f"stopped at step {self.step} of {self.steps} of {self.name}; re-run the command to resume")

    def _report(self) -> None:
        # A process without a chunk has no metrics: all use the names of the first, which always has one.
        keys: list[str] = self.fabric.broadcast(sorted(self._metrics))
        zero = torch.zeros((), device=self.fabric.device)
        values = torch.stack([self._metrics.get(key, zero) for key in keys]) / max(1, self.step - self._reported)
        values = all_sum(self.fabric, values)
        self._metrics, self._reported = {}, self.step
        self._check()
        rates = {f"{turn}/learning_rate": self.optimisers[turn].param_groups[0]["lr"] for turn in self.task.turns}
        self.journal.progress(self.name, self.step, self.steps, dict(zip(keys, values.tolist(), strict=True)) | rates)
        pictures = self.settings.picture_steps
        if self.show and (self.step == self.steps or (pictures and self.step % pictures < self.settings.log_steps)):
            self.show(self.step)

    def _check(self) -> None:
        """End the stage at a non-finite loss, and save the batch that caused it beside the checkpoints."""
        bad = int(self._first_bad)
        if bad == _NEVER:
            return
        path = self.folder.parent / f"bad-batch-{self.name}-{bad:09d}{checkpoint.SUFFIX}"
        tensors: dict[str, Tensor] = {}
        for index in range(self.crops.chunks):
            batch, draws = self.chunk(bad, index)
            parts = {
                **{f"batch.{k}": v for k, v in batch.__dict__.items()},
                **{f"draws.{k}": v for k, v in draws.items()},
            }
            tensors |= {f"{index}.{name}": tensor for name, tensor in parts.items()}
        if self.fabric.is_global_zero:
            checkpoint.save_tensors(path, tensors, {"stage": self.name, "step": bad})
        last = checkpoint.newest(self.folder, self.name)
        raise CmaudioError(
            f"{self.name}: the loss or a gradient of step {bad} is not finite; its batch is saved in {path}. "
            f"The last checkpoint ({last.name if last else 'none yet'}) is from before. Try a smaller learning rate, a "
            "longer warm-up or loop.precision 32-true in a new run folder, and inspect the clips of that batch"
        )

    # -- checkpoints -------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write a checkpoint and delete old ones; all processes wait for it."""
        self._check()
        if self.fabric.is_global_zero:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = checkpoint.checkpoint_path(self.folder, self.name, self.step)
            checkpoint.save_tensors(path, self._tensors(), {"stage": self.name, "step": self.step, "steps": self.steps})
            checkpoint.forget_older(self.folder, self.name, self.settings.keep)
            self.on_saved()
        self.fabric.barrier()

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"average/{name}": t for name, t in self.average.state_dict().items()}
        for turn, module in self.modules.items():
            tensors |= {f"{turn}/{name}": t for name, t in module.state_dict().items()}
            tensors |= checkpoint.optimiser_tensors(self.optimisers[turn], self._names[turn], f"{turn}-optimiser/")
        return tensors

    def resume(self) -> None:
        """Restore the last checkpoint, if there is one. Raises CmaudioError if it does not fit."""
        found = checkpoint.last_whole(self.folder, self.name, self.fabric.device, self.journal.note)
        if found is None:
            return
        path, tensors, about = found
        self.fabric.barrier()
        if self.fabric.is_global_zero:
            checkpoint.set_aside_later(self.folder, self.name, path)
        if about.get("steps") != self.steps:
            raise CmaudioError(
                f"{path} belongs to a stage of {about.get('steps')} steps, not {self.steps}; use a new run folder"
            )
        checkpoint.load_weights(self.average, tensors, path, "average/")
        for turn, module in self.modules.items():
            checkpoint.load_weights(module, tensors, path, f"{turn}/")
            checkpoint.load_optimiser(self.optimisers[turn], self._names[turn], tensors, f"{turn}-optimiser/")
        self.step = self._reported = int(about["step"])
        self.journal.note(f"{self.name} resumes from step {self.step}")
