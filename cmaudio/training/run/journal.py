"""Progress of a run: a progress line, loggers such as TensorBoard, and a JSON line for every report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.training.run.boards import Board


class Journal:
    """Writes from the first process only; on the others every method does nothing.

    Args:
        folder: of the run; metrics are also lines of its `figures.jsonl`.
        console: for progress and notes; None for none.
        active: whether this is the first process.
        boards: loggers of metrics, spectrograms and audio; closed with the journal.
    """

    def __init__(
        self, folder: Path, console: Console | None, active: bool = True, boards: Sequence[Board] = ()
    ) -> None:
        self._active, self._boards = active, boards
        self._console = console or Console(stderr=True, quiet=True)
        self._last: dict[str, tuple[int, float]] = {}
        self._tasks: dict[str, TaskID] = {}
        self._failed = False
        if not active:
            return
        try:
            self._lines = (folder / "figures.jsonl").open("a")
        except OSError as error:
            raise CmaudioError(
                f"{folder} cannot be written ({error.strerror}); make room or give another run folder"
            ) from error
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, TextColumn("{task.fields[metrics]}"), console=self._console)

    def __enter__(self) -> Journal:
        if self._active:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active:
            self._progress.stop()
            self._write(self._lines.close)
            for board in self._boards:
                self._write(partial(board.close, failed=kind is not None))

    def _write(self, action: Callable[[], object]) -> None:
        """A log that cannot be written must not end the training."""
        try:
            action()
        except Exception as error:  # loggers and the servers behind them have their own errors
            if not self._failed:
                self._failed = True
                reason = error.strerror if isinstance(error, OSError) else None
                self.note(f"the log cannot be written ({reason or error}); training continues without it")

    def metrics(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """Record scalars of a stage at a step."""
        if not self._active:
            return
        named = {f"{stage}/{key}": value for key, value in values.items()}
        for board in self._boards:
            self._write(partial(board.metrics, named, step))
        rounded = {key: float(f"{value:.6g}") for key, value in values.items()}
        self._write(lambda: self._lines.write(json.dumps({"stage": stage, "step": step} | rounded) + "\n"))
        self._write(self._lines.flush)

    def progress(self, stage: str, step: int, steps: int, values: Mapping[str, float]) -> None:
        """Record metrics with the speed, and show them on the progress line."""
        if not self._active:
            return
        now = time.monotonic()
        before = self._last.get(stage)
        self._last[stage] = (step, now)
        speed = (step - before[0]) / max(now - before[1], 1e-9) if before else None
        self.metrics(stage, step, dict(values) | ({"steps_per_second": speed} if speed else {}))
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=steps, metrics="")
        losses = "  ".join(f"{k.split('/')[-1]} {v:.4g}" for k, v in values.items() if "loss" in k)
        pace = f"  {speed:.3g} steps/s" if speed else ""
        self._progress.update(self._tasks[stage], completed=step, metrics=losses + pace)

    def note(self, text: str) -> None:
        """Print a line."""
        if self._active:
            self._console.print(text, highlight=False)

    def picture(self, name: str, mels: Float, step: int) -> None:
        """Record (T, M) values in 0..1 as a spectrogram, low bands at the bottom."""
        if self._active:
            from matplotlib import colormaps

            coloured = colormaps["magma"](np.flipud(np.clip(mels, 0, 1).T))[..., :3]
            for board in self._boards:
                self._write(partial(board.picture, name, coloured, step))

    def audio(self, name: str, samples: Float, sample_rate: int, step: int) -> None:
        """Record (N,) samples."""
        if self._active:
            for board in self._boards:
                self._write(partial(board.audio, name, np.clip(samples, -1, 1), sample_rate, step))
