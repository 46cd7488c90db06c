"""Trains a few steps of later stages before the earlier ones: with random weights, on one shard of the corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
from lightning_fabric import Fabric
from torch import nn

from cmaudio.files.place import Place
from cmaudio.training.config import RunConfig
from cmaudio.training.corpus.clips import Clips, MelStatistics
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.discriminators import Discriminators
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.run.alignment import Ends
from cmaudio.training.run.context import RunContext
from cmaudio.training.run.journal import Journal
from cmaudio.training.run.run_files import RunFiles
from cmaudio.training.run.starting_weights import StartingWeights

ModuleT = TypeVar("ModuleT", bound=nn.Module)
_ONE_SHARD_GB, _NO_OTHER_WINDOW = 1e-9, 2**40


class _Random(StartingWeights):
    """Keeps every network as it is initialised: the time of a step does not depend on its weights."""

    def statistics(self) -> MelStatistics | None:
        return None

    def initial(self, stage: str, module: ModuleT) -> ModuleT:
        return module

    def trained(self, part: str, module: ModuleT) -> ModuleT:
        return module

    def teacher(self, stage: str, path: Path, module: ModuleT) -> ModuleT:
        return module

    def discriminators(self, stage: str, discriminators: Discriminators) -> None: ...


class Rehearsal(RunContext):
    """A run that writes nothing.

    Attributes:
        opened: the corpus of the last stage.
        networks: that were made for it, trained or not.
    """

    opened: Corpus

    def __init__(
        self, config: RunConfig, corpus: Place, files: RunFiles, description: CorpusDescription, fabric: Fabric
    ) -> None:
        loop = config.loop.model_copy(update={"memory_gb": _ONE_SHARD_GB, "window_steps": _NO_OTHER_WINDOW})
        short = config.model_copy(update={"loop": loop})
        super().__init__(short, corpus, files, description, fabric, Journal(files.folder, None, active=False))
        self.start = _Random(short, files.folder, self.timbres, description.symbols, self.journal.note)
        self.statistics = None
        self.networks: list[nn.Module] = []

    def open_corpus(self, with_audio: bool) -> Corpus:
        opened = super().open_corpus(with_audio)
        untimed = bool(self.description.symbols) and all(spoken is None for spoken in opened.clips.spoken)
        if untimed and self.config.aligner is not None and self.ends is None:
            self.ends = _evenly_spoken(opened.clips, self.description.signal.frame_rate)
            opened = super().open_corpus(with_audio)
            self.ends = None
        opened.settle()
        self.opened = opened
        return opened

    def new_network(self) -> ConsistencyNetwork:
        network = super().new_network()
        self.networks.append(network)
        return network

    def new_prior(self) -> PriorNetwork:
        network = super().new_prior()
        self.networks.append(network)
        return network


def _evenly_spoken(clips: Clips, frame_rate: float) -> Ends:
    """Artificial phoneme times, evenly spaced."""
    ends: Ends = {}
    for name, ids, frames in zip(clips.names, clips.ids, clips.frames.tolist(), strict=True):
        if 0 < len(ids) <= frames:
            ends[name] = (np.linspace(0, frames / frame_rate, len(ids) + 1)[1:]).tolist()
    return ends
