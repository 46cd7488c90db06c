"""From a corpus to finished weights: all stages in order, each of them resumable."""

from __future__ import annotations

import copy
from pathlib import Path

from lightning_fabric import Fabric
from rich.console import Console
from torch import nn

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place
from cmaudio.training.config import STAGES, Crops, RunConfig, VocoderStage
from cmaudio.training.corpus.description import read_description
from cmaudio.training.networks.aligner import AlignerNetwork
from cmaudio.training.run.alignment import align_corpus, has_phoneme_times, read_alignment, write_alignment
from cmaudio.training.run.boards import check_loggers, open_boards
from cmaudio.training.run.context import RunContext
from cmaudio.training.run.estimate import estimate
from cmaudio.training.run.estimate_table import print_estimate
from cmaudio.training.run.folder import ALIGNMENT, open_run, read_about
from cmaudio.training.run.journal import Journal
from cmaudio.training.run.launch import device_type, launch, resolve_precision
from cmaudio.training.run.loop import Trainer
from cmaudio.training.run.run_files import RunFiles
from cmaudio.training.run.stages import TRAINERS
from cmaudio.training.run.starting_weights import DISCRIMINATORS
from cmaudio.training.run.weights import mix_weights, save_weights, weights_file
from cmaudio.training.tasks.aligner import AlignerTask


def train(
    config: RunConfig,
    corpus: Place,
    run: Place | RunFiles,
    console: Console | None = None,
    until: str | None = None,
    *,
    estimate_first: bool = False,
    dry_run: bool = False,
) -> bool:
    """Train every stage of the configuration that the run has not finished, in order.

    Args:
        config: of the run.
        corpus: folder of a prepared corpus, on disk or in object storage.
        run: folder of the run, likewise, created if needed; an existing run is resumed.
        console: for progress and notes; None for none.
        until: the last stage to train, None for all.
        estimate_first: first print how much memory and time each stage takes, from a few of its steps.
        dry_run: print only that; train and write nothing.

    Returns:
        Whether this is the first process, the one that writes files.

    Raises:
        CmaudioError: for a corpus, run folder or configuration that cannot be used, and for a non-finite loss.
    """
    if until is not None and until not in STAGES:
        raise CmaudioError(f"no stage {until!r}; there are {', '.join(STAGES)}")
    check_loggers(config.loop.loggers)
    description = read_description(corpus)
    precision, warning = resolve_precision(config.loop.precision, device_type(config.loop.accelerator))
    fabric = launch(config.loop, precision)
    files = run if isinstance(run, RunFiles) else RunFiles(run)
    folder = files.folder
    if fabric.local_rank == 0:
        files.fetch()
    fabric.barrier()
    check_chunks(config, folder, fabric.world_size, until)
    first = fabric.is_global_zero
    output = console if first else None
    if output is not None and warning:
        output.print(warning)
    if estimate_first or dry_run:
        if output is not None:  # slow steps take minutes
            output.print("measuring a few steps of each stage" + ("" if dry_run else "; --no-estimate skips this"))
        stages = estimate(config, corpus, files, description, fabric, until)
        if output is not None:
            print_estimate(stages, output, fabric.device)
    if dry_run:
        return first
    if first:
        open_run(folder, config, corpus, description)
    share_files(fabric, files)
    boards = open_boards(config, folder, read_about(folder)["id"]) if first else []
    with Journal(folder, console, first, boards) as journal:
        context = RunContext(config, corpus, files, description, fabric, journal)
        for stage in STAGES:
            if getattr(config, stage) is not None:
                train_stage(context, stage)
            if stage == until:
                break
    return first


def check_chunks(config: RunConfig, folder: Path, processes: int, until: str | None) -> None:
    """Raise CmaudioError for a stage whose steps the processes cannot share, before earlier stages are trained."""
    for name in STAGES[: STAGES.index(until) + 1] if until else STAGES:
        crops = getattr(getattr(config, name), "crops", None)
        if isinstance(crops, Crops) and crops.chunks % processes and not weights_file(folder, name).is_file():
            raise CmaudioError(
                f"{name}: {crops.clips} clips in {crops.chunks} chunks cannot be shared by {processes} processes; make "
                f"{name}.crops.clips divided by {name}.crops.chunk_clips a multiple of {processes}"
            )


def share_files(fabric: Fabric, files: RunFiles) -> None:
    """Give all machines the files written by the first process; all processes wait for it."""
    if fabric.is_global_zero:
        files.publish()
    fabric.barrier()
    if fabric.local_rank == 0 and fabric.node_rank > 0:
        files.fetch()
    fabric.barrier()


def train_stage(run: RunContext, name: str) -> None:
    """Train a stage to its end, unless it is finished."""
    path = weights_file(run.folder, name)
    if path.is_file():
        run.journal.note(f"{name}: already finished ({path})")
        return
    if name == "aligner" and has_phoneme_times(run.corpus, run.description):
        run.journal.note("aligner: skipped, the corpus has phoneme times")
        return
    if name in ("aligner", "prosody") and not run.description.symbols:
        raise CmaudioError(f"{name} needs a corpus with text: prepare it with --language, or set {name} to null")
    if run.config.has_prior and run.description.symbols:
        raise CmaudioError("a prior needs a corpus without text: set prior and start_from.prior to null")
    settings = getattr(run.config, name)
    trainer = TRAINERS[name](run, name, settings)
    average = trainer.run()
    if isinstance(settings, VocoderStage) and settings.keep:
        mix_weights(average, run.start.initial(name, copy.deepcopy(average)), settings.keep)
    if run.fabric.is_global_zero:
        _save(run, name, trainer, average)
    share_files(run.fabric, run.files)
    if name == "aligner":
        run.ends = read_alignment(run.folder / ALIGNMENT)
    run.journal.note(f"{name}: {settings.steps} steps, weights in {path}")


def _save(run: RunContext, name: str, trainer: Trainer, average: nn.Module) -> None:
    """Write the stage's weights; the aligner's boundaries first, since its weights mark the stage as finished."""
    assert run.statistics is not None
    steps = getattr(run.config, name).steps
    about = {"stage": name, "steps": str(steps), "run": run.config.name}
    if isinstance(average, AlignerNetwork):
        assert run.config.aligner is not None
        task = AlignerTask(average, run.config.aligner)
        ends = align_corpus(task, run.corpus, run.description, run.statistics, run.fabric.device, run.journal.note)
        write_alignment(run.folder / ALIGNMENT, ends)
    if DISCRIMINATORS in trainer.modules:
        discriminators = trainer.modules[DISCRIMINATORS]
        save_weights(weights_file(run.folder, DISCRIMINATORS), discriminators, run.statistics, [], about)
    save_weights(weights_file(run.folder, name), average, run.statistics, run.timbres, about, run.description.symbols)
