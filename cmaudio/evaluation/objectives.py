"""A comparison of objectives: trains students that differ only in their objective, and evaluates them.

Every student generates all held-out clips from its own past, in one and in two evaluations per block.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.corpus.distances import MelScale
from cmaudio.files.atomic import atomic_file
from cmaudio.machine import describe_machine
from cmaudio.signal.dsp import Float
from cmaudio.training.config import ComparisonConfig, RunConfig
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import CorpusDescription, read_description
from cmaudio.training.run.build_networks import make_consistency_network
from cmaudio.training.run.train import train
from cmaudio.training.run.weights import read_statistics, start_from, weights_file
from cmaudio.training.tasks.generate import free_run

RESULT = "comparison.json"
_LONGEST_FRAMES, _PIECE = 320, 16
_ATTACK_SECONDS, _ACTIVE_ABOVE_FLOOR = 0.35, 10.0  # 20 dB
_SHOWN = {"frechet": "Fréchet", "l1_active_db": "L1 active, dB", "l1_all_db": "L1 all, dB"}


def compare_objectives(config: ComparisonConfig, corpus: Path, folder: Path, console: Console | None = None) -> Figures:
    """Train missing students, evaluate all of them, and write `comparison.json`.

    Args:
        config: of the comparison.
        corpus: folder of a prepared corpus.
        folder: for the runs; an existing comparison is resumed.
        console: for progress; None for none.

    Returns:
        Metrics by objective and number of steps: the mean over seeds, and the metrics of every seed.

    Raises:
        CmaudioError: a corpus without held-out clips or with text, or what `train` raises.
    """
    description = read_description(corpus)
    if not description.splits["held_out"].clips:
        raise CmaudioError(f"{corpus} has no held-out clips; prepare it with some (--held-out)")
    if description.symbols:
        raise CmaudioError(f"{corpus} has text; objectives are compared on notes: prepare it without --language")
    rows: dict[str, dict[str, list[Figures]]] = {label: {"1": [], "2": []} for label in config.objectives}
    for seed in range(1, config.seeds + 1):
        base = folder / f"seed-{seed}"
        teacher = config.teacher_run(seed)
        if teacher:
            train(teacher, corpus, base / "teacher", console)
        start = weights_file(base / "teacher", "teacher").resolve() if teacher else None
        for label in config.objectives:
            run = config.student_run(label, seed, start)
            train(run, corpus, base / label, console)
            for steps in ("1", "2"):
                rows[label][steps].append(_measure(run, corpus, description, base / label, steps == "2"))
    result: Figures = {
        "comparison": config.name,
        "corpus": description.name,
        "machine": describe_machine(),
        "steps": config.student.steps,
        "teacher_steps": config.teacher.steps if config.teacher else 0,
        "seeds": config.seeds,
        "objectives": {
            label: {steps: {**_mean(seeds), "by_seed": seeds} for steps, seeds in by_steps.items()}
            for label, by_steps in rows.items()
        },
    }
    with atomic_file(folder / RESULT) as temporary:
        temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return result


def _measure(run: RunConfig, corpus: Path, description: CorpusDescription, folder: Path, fine: bool) -> Figures:
    """Distances of a student's held-out clips, generated in one evaluation per block or two, to the recordings."""
    path = weights_file(folder, "student")
    network = make_consistency_network(run, description)
    start_from(path, network, [timbre.name for timbre in description.timbres])
    statistics = read_statistics(path)
    k = run.network.block_frames
    clips = Corpus(corpus, split="held_out", statistics=statistics, lead_frames=k)
    ours: list[Float] = []
    recorded: list[Float] = []
    generator = torch.Generator().manual_seed(run.seed)
    count = len(clips.clips.names)
    for first in range(0, count, _PIECE):
        piece = torch.arange(first, min(first + _PIECE, count))
        batch = clips.crops(piece, torch.full_like(piece, -k), _LONGEST_FRAMES - _LONGEST_FRAMES % k, 0)
        made = free_run(network.eval(), batch, run.sigma, generator, fine=fine)
        for mel, recording, frames in zip(made, batch.mel, clips.clips.frames[piece].tolist(), strict=True):
            ours.append(mel[: frames + k].numpy())
            recorded.append(recording[: frames + k].numpy())
    std, mean = statistics.std.numpy(), statistics.mean.numpy()
    active = (np.log(description.signal.floor * _ACTIVE_ABOVE_FLOOR) - mean) / std
    scale = MelScale(std, active.astype(np.float32), round(_ATTACK_SECONDS * description.signal.frame_rate), k)
    return scale.compare(ours, recorded)


def _mean(seeds: Sequence[Figures]) -> Figures:
    """The mean over seeds of each metric, None if one lacks it."""
    values = {key: [row[key] for row in seeds] for key in seeds[0]}
    return {key: None if None in row else round(float(np.mean(row)), 4) for key, row in values.items()}


def print_comparison(result: Figures, console: Console) -> None:
    """A row per objective: the mean over seeds, and the range in brackets, at one and at two steps."""
    table = Table(title=f"{result['comparison']}: {result['steps']} steps, {result['seeds']} seeds, {result['corpus']}")
    table.add_column("objective")
    for steps in ("1 step", "2 steps"):
        for name in _SHOWN.values():
            table.add_column(f"{name}, {steps}", justify="right")
    for label, row in result["objectives"].items():
        table.add_row(label, *(_cell(row[steps], key) for steps in ("1", "2") for key in _SHOWN))
    console.print(table)


def _cell(row: Figures, key: str) -> str:
    if row[key] is None:
        return "-"
    seeds = [each[key] for each in row["by_seed"]]
    return f"{row[key]:.2f}" + (f" ({min(seeds):.2f} to {max(seeds):.2f})" if len(seeds) > 1 else "")
