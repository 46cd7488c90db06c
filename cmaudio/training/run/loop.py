"""The training loop: steps of a task over a corpus, on one process or many, resumable at any moment.

A step's batch is divided into chunks with random numbers of their own; processes share the chunks out, and gradients
are summed once a step. That is why one process and many train alike, why accumulation needs no rule of its own, and why
nothing but weights, optimisers and the step's number has to be kept. A plain sum replaces DistributedDataParallel: two
optimisers take turns over shared networks here, and 70 MB of gradients are less than a millisecond's traffic.
"""

from __future__ import annotations

import copy
import signal
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
from cmaudio.training.tasks.task import Draws, Task

Transform = Callable[[Any, torch.Generator], Any]
_NEVER = 2**62


class Batches(Protocol):
    """Where batches come from: any by its step and chunk, with the generator of what is still to be drawn for it."""

    def batch(self, step: int, chunk: int, crops: Any, /) -> tuple[Any, torch.Generator]: ...


class Shares(Protocol):
    """How a step's batch is divided."""

    @property
    def chunks(self) -> int: ...


class Stopped(CmaudioError):
    """The run was asked to end (SIGTERM, Ctrl-C); a checkpoint has been written."""


class Trainer:
    """One stage of a run.

    Args:
        fabric: launched. task: what is trained, its modules on the fabric's device. corpus: where batches come from.
        crops, steps, ema: of the stage. name: of the stage, also of its files.
        folder: of the run; checkpoints lie in `checkpoints/`.
        journal: is told figures. show: is called with the averaged module's task now and then, to make pictures.
        transform: changes each batch before the task sees it.
    """

    def __init__(
        self,
        fabric: Fabric,
        task: Task,
        corpus: Batches,
        *,
        name: str,
        steps: int,
        crops: Shares,
        ema: float,
        settings: LoopSettings,
        folder: Path,
        journal: Journal,
        show: Callable[[int], None] | None = None,
        transform: Transform | None = None,
    ) -> None:
        self.fabric, self.task, self.corpus = fabric, task, corpus
        self.name, self.steps, self.crops, self.ema = name, steps, crops, ema
        self.settings, self.folder, self.journal, self.show = settings, folder / "checkpoints", journal, show
        self.transform = transform or (lambda batch, generator: batch)
        self.step = 0
        self.modules = dict(task.modules())
        self._names = {turn: [name for name, _ in self.modules[turn].named_parameters()] for turn in task.turns}
        self.optimisers = {turn: task.optimiser(turn, self.modules[turn].parameters()) for turn in task.turns}
        self.average = copy.deepcopy(self.modules[task.averaged()]).requires_grad_(False).eval()
        self._first_bad = torch.tensor(_NEVER, device=fabric.device)
        self._figures: dict[str, Tensor] = {}  # sums since the last report
        self._reported = 0
        self._stop_asked = False

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
            # The average follows closely at first, else it would long remember where the weights began.
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
                loss, figures = self.task.loss(turn, batch, draws, progress)
            (loss / self.crops.chunks).backward()  # type: ignore[no-untyped-call]
            for key, value in figures.items():
                shown = self._figures.setdefault(f"{turn}/{key}", torch.zeros((), device=loss.device))
                shown += value.detach().float() / self.crops.chunks
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        self._sum_over_processes(parameters)
        norm = nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], self.task.gradient_norm(turn))
        # A look at a number makes the host wait for the device: the first bad step is noted there, and asked for later.
        now = torch.full_like(self._first_bad, self.step)
        self._first_bad = torch.where(torch.isfinite(norm), self._first_bad, torch.minimum(self._first_bad, now))
        self._figures.setdefault(f"{turn}/gradient_norm", torch.zeros((), device=norm.device)).add_(norm.float())
        optimiser.step()

    def _sum_over_processes(self, parameters: list[nn.Parameter]) -> None:
        if self.fabric.world_size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:  # a process without a chunk, or a part that this chunk did not use
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
        summed = self.fabric.all_reduce(flat, reduce_op="sum")
        assert isinstance(summed, Tensor)
        for parameter, part in zip(parameters, torch.split(summed, [p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter)

    # -- the run -----------------------------------------------------------------------------------------------------

    def run(self) -> nn.Module:
        """From the last checkpoint, if there is one, to the last step; returns the averaged module.

        Raises CmaudioError when a loss is not finite (the batch is saved first) or a checkpoint cannot be written.
        """
        self.resume()
        saved_at = time.monotonic()
        with _asked_to_stop(self._ask_to_stop):
            while self.step < self.steps:
                self.take_step()
                if self.step % self.settings.log_steps and self.step < self.steps:
                    continue
                self._report()
                pictures = self.settings.picture_steps
                if self.show and (
                    self.step == self.steps or (pictures and self.step % pictures < self.settings.log_steps)
                ):
                    self.show(self.step)
                due = time.monotonic() - saved_at > 60 * self.settings.checkpoint_minutes
                stop = self._any(self._stop_asked)
                if self._any(due) or stop or self.step == self.steps:
                    self.save()
                    saved_at = time.monotonic()
                if stop and self.step < self.steps:
                    raise Stopped(
                        f"stopped at step {self.step} of {self.steps} of {self.name}; the same command goes on"
                    )
        return self.average

    def _ask_to_stop(self) -> None:
        self._stop_asked = True

    def _any(self, flag: bool) -> bool:
        """Whether it is so on any process: all have to decide alike."""
        if self.fabric.world_size == 1:
            return flag
        summed = self.fabric.all_reduce(torch.tensor(float(flag), device=self.fabric.device), reduce_op="sum")
        assert isinstance(summed, Tensor)
        return bool(summed > 0)

    def _report(self) -> None:
        keys = sorted(self._figures)
        values = torch.stack([self._figures[key] for key in keys]) / max(1, self.step - self._reported)
        shared = torch.tensor(["gradient_norm" not in key for key in keys], device=values.device)
        if self.fabric.world_size > 1:
            summed = self.fabric.all_reduce(values, reduce_op="sum")
            assert isinstance(summed, Tensor)
            values = torch.where(shared, summed, summed / self.fabric.world_size)
        self._figures, self._reported = {}, self.step
        self._check()
        rates = {f"{turn}/learning_rate": self.optimisers[turn].param_groups[0]["lr"] for turn in self.task.turns}
        self.journal.progress(self.name, self.step, self.steps, dict(zip(keys, values.tolist(), strict=True)) | rates)

    def _check(self) -> None:
        """End the stage at a loss that is not finite, with the batch that made it beside the checkpoints."""
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
            "larger warm-up or loop.precision 32-true in a new run folder, and look at the clips of that batch"
        )

    # -- checkpoints -------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write a checkpoint and drop older ones; all processes wait for it."""
        self._check()
        if self.fabric.is_global_zero:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = checkpoint.checkpoint_path(self.folder, self.name, self.step)
            checkpoint.save_tensors(path, self._tensors(), {"stage": self.name, "step": self.step, "steps": self.steps})
            checkpoint.forget_older(self.folder, self.name, self.settings.keep)
        self.fabric.barrier()

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"average/{name}": t for name, t in self.average.state_dict().items()}
        for turn, module in self.modules.items():
            tensors |= {f"{turn}/{name}": t for name, t in module.state_dict().items()}
            tensors |= checkpoint.optimiser_tensors(self.optimisers[turn], self._names[turn], f"{turn}-optimiser/")
        return tensors

    def resume(self) -> None:
        """Go to the state of the last checkpoint, if there is one. Raises CmaudioError where it does not fit."""
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
        self.journal.note(f"{self.name} goes on from step {self.step}")


class _asked_to_stop:
    """While inside, SIGTERM (a scheduler's notice) and Ctrl-C ask for a checkpoint before the end."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._before[number] = signal.signal(number, lambda *_: self._ask())
            except ValueError:  # not the main thread: whoever runs us there handles signals
                return

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
