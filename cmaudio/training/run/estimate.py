"""Estimates the memory and time of each stage before a run, from a few of its steps."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from cmaudio.files.place import Place
from cmaudio.training.config import STAGES, RunConfig
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.run import checkpoint
from cmaudio.training.run.alignment import has_phoneme_times
from cmaudio.training.run.loop import Trainer
from cmaudio.training.run.rehearsal import Rehearsal
from cmaudio.training.run.run_files import RunFiles
from cmaudio.training.run.saved_tensors import SavedTensors
from cmaudio.training.run.stages import TRAINERS
from cmaudio.training.run.weights import weights_file

_PLACES = (0.125, 0.375, 0.625, 0.875)  # of a stage, whose steps may differ: discriminators start later
_FEW_PLACES = (0.25, 0.75)
_SLOW_SECONDS = 4.0


@dataclass(frozen=True)
class StageEstimate:
    """The resources of a stage in one process.

    Attributes:
        name: of the stage.
        parameters: number of trained parameters.
        weights_gb: weights, gradients, optimiser state and average, and frozen networks.
        activations_gb: peak activations of a step.
        corpus_gb: clips in memory.
        steps: remaining steps.
        step_seconds: average seconds per step.
    """

    name: str
    parameters: int
    weights_gb: float
    activations_gb: float
    corpus_gb: float
    steps: int
    step_seconds: float

    @property
    def memory_gb(self) -> float:
        return self.weights_gb + self.activations_gb + self.corpus_gb

    @property
    def seconds(self) -> float:
        """Without checkpoints, spectrograms and audio."""
        return self.steps * self.step_seconds


def estimate(
    config: RunConfig, corpus: Place, files: RunFiles, description: CorpusDescription, fabric: Fabric, until: str | None
) -> list[StageEstimate]:
    """Estimate every remaining stage, in order. All processes of a run have to call it.

    Args:
        config: of the run.
        corpus: its folder.
        files: of the run, whose folder need not exist.
        description: of the corpus.
        fabric: launched.
        until: the last stage that will be trained, None for all.

    Raises:
        CmaudioError: a stage cannot be trained as it is configured.
    """
    names = STAGES[: STAGES.index(until) + 1] if until else STAGES
    with torch.random.fork_rng():
        return [
            _stage(config, corpus, files, description, fabric, name)
            for name in names
            if _is_left(config, corpus, files, description, name)
        ]


def _is_left(config: RunConfig, corpus: Place, files: RunFiles, description: CorpusDescription, name: str) -> bool:
    if getattr(config, name) is None or weights_file(files.folder, name).is_file():
        return False
    return not (name == "aligner" and has_phoneme_times(corpus, description))


def _stage(
    config: RunConfig, corpus: Place, files: RunFiles, description: CorpusDescription, fabric: Fabric, name: str
) -> StageEstimate:
    run = Rehearsal(config, corpus, files, description, fabric)
    trainer = TRAINERS[name](run, name, getattr(config, name))
    step_seconds, activations = _measure(trainer)
    trained = list(trainer.modules.values())
    inside = {id(module) for each in trained for module in each.modules()}
    fixed = [network for network in run.networks if id(network) not in inside]
    optimiser = sum(_state_bytes(each) for each in trainer.optimisers.values())
    gradients = sum(p.numel() * p.element_size() for each in trained for p in each.parameters() if p.requires_grad)
    weights = _bytes([*trained, trainer.average, *fixed]) + gradients + optimiser
    found = StageEstimate(
        name=name,
        parameters=sum(p.numel() for each in trained for p in each.parameters() if p.requires_grad),
        weights_gb=weights / 1e9,
        activations_gb=activations / 1e9,
        corpus_gb=min(run.opened.needed_gb, config.loop.memory_gb),
        steps=max(0, trainer.steps - _done(files.folder, name)),
        step_seconds=step_seconds,
    )
    del trainer, trained, fixed, run
    gc.collect()
    if fabric.device.type == "cuda":
        torch.cuda.empty_cache()
    return found


def _measure(trainer: Trainer) -> tuple[float, int]:
    """Seconds of a step, and the bytes that its activations take."""
    saved = SavedTensors(trainer.modules.values())
    first = _timed(trainer, _PLACES[-1], saved)
    if trainer.fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        _timed(trainer, _PLACES[-1])
        saved.peak_bytes = torch.cuda.max_memory_allocated() - before
    places = _FEW_PLACES if first > _SLOW_SECONDS else _PLACES
    seconds = [_timed(trainer, place) for place in places]
    return sum(seconds) / len(seconds), saved.peak_bytes


def _timed(trainer: Trainer, place: float, around: AbstractContextManager[object] | None = None) -> float:
    wait: Callable[[], object] = torch.cuda.synchronize if trainer.fabric.device.type == "cuda" else lambda: None
    trainer.step = int(place * trainer.steps)
    wait()
    began = time.perf_counter()
    with around or nullcontext():
        trainer.take_step()
    wait()
    return time.perf_counter() - began


def _done(folder: Path, name: str) -> int:
    """Steps of a stage that its last checkpoint has behind it, by its name."""
    path = checkpoint.newest(folder / "checkpoints", name)
    return int(path.stem.rpartition("-")[2]) if path else 0


def _bytes(modules: Iterable[nn.Module]) -> int:
    """Of all weights and buffers, shared ones once."""
    tensors = {t.data_ptr(): t for module in modules for t in (*module.parameters(), *module.buffers())}
    return sum(t.numel() * t.element_size() for t in tensors.values())


def _state_bytes(optimiser: torch.optim.Optimizer) -> int:
    states = (value for state in optimiser.state.values() for value in state.values() if isinstance(value, Tensor))
    return sum(value.numel() * value.element_size() for value in states)
