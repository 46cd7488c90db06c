"""Shared by the stages of a run: configuration, corpus, device, and the construction of trainers."""

from __future__ import annotations

import math
from typing import Any

from lightning_fabric import Fabric

from cmaudio.files.place import Place
from cmaudio.training.config import ConsistencyStage, PriorStage, RunConfig, SentenceStage, VocoderStage
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.run.alignment import read_alignment
from cmaudio.training.run.build_networks import make_consistency_network, make_prior_network
from cmaudio.training.run.folder import ALIGNMENT
from cmaudio.training.run.journal import Journal
from cmaudio.training.run.loop import Batches, Trainer
from cmaudio.training.run.run_files import RunFiles
from cmaudio.training.run.starting_weights import StartingWeights
from cmaudio.training.tasks.residual import AsRecorded, Residual, Target


class RunContext:
    """A run in progress.

    Attributes:
        folder: of the run, in which it trains.
        timbres: names, in the corpus's order.
        start: initialises networks with the weights that a stage starts from.
        statistics: of the mel; None until they are known.
        ends: phoneme times found by the aligner, by clip; None without.
    """

    def __init__(
        self,
        config: RunConfig,
        corpus: Place,
        files: RunFiles,
        description: CorpusDescription,
        fabric: Fabric,
        journal: Journal,
    ) -> None:
        self.config, self.corpus, self.files, self.description = config, corpus, files, description
        folder = self.folder = files.folder
        self.fabric, self.journal = fabric, journal
        self.timbres = [timbre.name for timbre in description.timbres]
        self.start = StartingWeights(config, folder, self.timbres, description.symbols, journal.note)
        self.statistics = self.start.statistics()
        alignment = folder / ALIGNMENT
        self.ends = read_alignment(alignment) if alignment.is_file() else None

    def open_corpus(self, with_audio: bool) -> Corpus:
        """The training split."""
        loop = self.config.loop
        corpus = Corpus(
            self.corpus,
            device=self.fabric.device,
            with_audio=with_audio,
            seed=self.config.seed,
            memory_gb=loop.memory_gb,
            window_steps=loop.window_steps,
            statistics=self.statistics,
            ends=self.ends,
            lead_frames=self.config.network.block_frames,
            note_kind=self.config.note_features,
        )
        self.statistics = corpus.statistics
        return corpus

    def new_network(self) -> ConsistencyNetwork:
        """A consistency network with random weights, on the device."""
        network = make_consistency_network(self.config, self.description)
        self.fabric.to_device(network)
        return network

    def new_prior(self) -> PriorNetwork:
        """A prior with random weights, on the device."""
        network = make_prior_network(self.config, self.description)
        self.fabric.to_device(network)
        return network

    def target(self, network: ConsistencyNetwork | None = None) -> Target:
        """The target of the consistency network; with a prior it uses the prior's timbres, which stay fixed."""
        if not self.config.has_prior:
            return AsRecorded()
        prior = self.start.trained("prior", self.new_prior())
        if network is not None:
            network.timbres.load_state_dict(prior.timbres.state_dict())
            network.timbres.requires_grad_(False)
        assert self.statistics is not None
        floor = math.log(self.description.signal.floor)
        silence = (floor - self.statistics.mean) / self.statistics.std
        return Residual(prior, silence, self.statistics, self.config.network.most_spreads)

    def trainer(
        self,
        name: str,
        task: Any,
        corpus: Batches,
        settings: ConsistencyStage | VocoderStage | SentenceStage | PriorStage,
        **more: Any,
    ) -> Trainer:
        """The trainer of a stage; `more` goes to `Trainer`."""
        return Trainer(
            self.fabric,
            task,
            corpus,
            name=name,
            steps=settings.steps,
            ema=settings.ema,
            settings=self.config.loop,
            folder=self.folder,
            journal=self.journal,
            on_saved=self.files.publish,
            **more,
        )
