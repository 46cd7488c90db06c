"""The estimate of a run as people read it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from cmaudio.training.run.estimate import StageEstimate

_COLUMNS = "stage", "parameters", "weights and optimiser", "activations", "corpus", "memory", "a step", "steps", "time"


def print_estimate(stages: Sequence[StageEstimate], console: Console, device: torch.device) -> None:
    """A table with a row for each stage, and what the run takes in all."""
    if not stages:
        console.print("Nothing is left to train.")
        return
    table = Table(*_COLUMNS, title="Estimate, from measured steps", title_justify="left")
    for stage in stages:
        sizes = (stage.weights_gb, stage.activations_gb, stage.corpus_gb, stage.memory_gb)
        row = [stage.name, f"{stage.parameters / 1e6:.2f} M", *map(_size, sizes)]
        table.add_row(*row, f"{stage.step_seconds:.3g} s", f"{stage.steps}", _duration(stage.seconds))
    console.print(table)
    needed, free = max(stage.memory_gb for stage in stages), free_gb(device)
    whole = _duration(sum(stage.seconds for stage in stages))
    console.print(
        f"In all {whole} on this {device.type} as busy as it is now, without checkpoints and pictures; most memory "
        f"{_size(needed)}" + (f" of {_size(free)} that are free." if free is not None else "."),
        highlight=False,
    )
    if free is not None and needed > free:
        console.print(
            "[yellow]warning:[/] that does not fit. Less is needed with a smaller loop.memory_gb (clips are then read "
            "in windows) or crops.chunk_clips (a step is then computed in parts)."
        )


def free_gb(device: torch.device) -> float | None:
    """Memory of the device that nothing uses; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / 1e9
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) * 1024 / 1e9
    with suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return None


def _size(gigabytes: float) -> str:
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.3g} MB"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if seconds >= 90 else f"{seconds:.0f} s"
