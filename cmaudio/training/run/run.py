"""A run: its folder, and its stages one after the other, each resumable, from a corpus to a model file.

RUN/config.yaml         all of the configuration          RUN/checkpoints/   what a stage goes on from
RUN/run.json            versions, commit, corpus           RUN/log/           TensorBoard
RUN/<stage>.safetensors what a finished stage leaves       RUN/<name>.cmaudio the model file, RUN/teacher.cmaudio
RUN/alignment.jsonl.gz  when each phoneme ends, where the aligner had to find it
RUN/discriminators.safetensors  of the last stage that had any, for stages and runs to come
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from rich.console import Console

from cmaudio.errors import CmaudioError
from cmaudio.training.config import (
    ConsistencyStage,
    Crops,
    JointStage,
    RunConfig,
    SentenceStage,
    VocoderStage,
    differences,
    read_config,
    write_config,
)
from cmaudio.training.corpus.corpus import Corpus, MelStatistics, read_clips
from cmaudio.training.corpus.description import SPLITS, CorpusDescription, Split, read_description
from cmaudio.training.corpus.label_lag import lag_of
from cmaudio.training.corpus.sentences import BreathGroups, Sentences, sentence_batch
from cmaudio.training.export.card import STAGES
from cmaudio.training.networks.aligner import AlignerNetwork
from cmaudio.training.networks.build import (
    make_aligner_network,
    make_consistency_network,
    make_prosody_network,
    make_vocoder_network,
)
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.discriminators import Discriminators
from cmaudio.training.run.demonstration import Demonstration
from cmaudio.training.run.journal import Journal
from cmaudio.training.run.loop import Batches, Trainer
from cmaudio.training.run.weights import (
    can_start_from,
    finished,
    read_statistics,
    save_weights,
    start_from,
    start_where_it_fits,
    weights_file,
)
from cmaudio.training.tasks.aligner import AlignerTask, read_alignment, write_alignment
from cmaudio.training.tasks.consistency import ConsistencyTask
from cmaudio.training.tasks.generated_mels import CONTEXT_FRAMES, GeneratedMels
from cmaudio.training.tasks.joint import JointNetworks, JointTask
from cmaudio.training.tasks.prosody import ProsodyTask
from cmaudio.training.tasks.vocoder import VocoderTask

ALIGNMENT = "alignment.jsonl.gz"
DISCRIMINATORS = "discriminators"


def open_run(folder: Path, config: RunConfig, corpus: Path, description: CorpusDescription) -> None:
    """Make the run's folder, or check that it is of the same configuration and corpus.

    Raises CmaudioError which names what differs.
    """
    path = folder / "config.yaml"
    about = {
        "corpus": str(corpus.resolve()),
        "corpus_name": description.name,
        "timbres": [t.name for t in description.timbres],
    }
    if path.is_file():
        changed = differences(read_config(path), config)
        before = _read_about(folder / "run.json")
        changed += [
            f"{key} = {before.get(key)!r}"[:200] for key in ("corpus_name", "timbres") if before.get(key) != about[key]
        ]
        if changed:
            raise CmaudioError(
                f"{folder} holds a run of another configuration; these differ (old and new): {'; '.join(changed[:6])}. "
                "Give another folder, or the configuration that it began with"
            )
    else:
        about |= {
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": _commit(),
            "torch": torch.__version__,
        }
        about |= {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "run.json").write_text(json.dumps(about, indent=1))
        except OSError as error:
            raise CmaudioError(f"run folder {folder} cannot be made ({error.strerror}); give another folder") from error
    try:
        write_config(config, path)
    except OSError as error:
        raise CmaudioError(f"{path} cannot be written ({error.strerror}); make room or give another folder") from error


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CmaudioError(
            f"{path} cannot be read ({error}): the folder is not a whole run; give another folder"
        ) from error
    return dict(about)


def _commit() -> str:
    """The commit of the code, with a mark where files differ from it; "" where it is not a checkout of its own."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        subprocess.run([*git, "ls-files", "--error-unmatch", Path(__file__).name], capture_output=True, check=True)
        described = [*git, "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def launch(config: RunConfig) -> Fabric:
    """Processes and precision; under torchrun or SLURM the launcher's count of processes counts."""
    loop = config.loop
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", loop.devices))
    nodes = int(os.environ.get("GROUP_WORLD_SIZE", loop.nodes))
    strategy = "ddp" if devices * nodes > 1 else "auto"
    if loop.threads:
        torch.set_num_threads(loop.threads)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True  # crops have one shape, so the fastest convolution is found once
    _find_accelerator(loop.accelerator)
    fabric = Fabric(
        accelerator=loop.accelerator, devices=devices, num_nodes=nodes, strategy=strategy, precision=loop.precision
    )
    fabric.launch()
    return fabric


def _find_accelerator(name: str) -> None:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name, True):
        found = ", ".join(["auto", "cpu", *(other for other, is_there in there.items() if is_there)])
        raise CmaudioError(
            f"loop.accelerator {name}: no such device here, or torch was installed without it; --set "
            f"loop.accelerator to one of {found}"
        )


def train(
    config: RunConfig, corpus: Path, folder: Path, console: Console | None = None, until: str | None = None
) -> bool:
    """Train every stage of the configuration that the run has not finished, in order.

    Args:
        corpus: folder of a prepared corpus. folder: of the run, made where it is not there.
        until: the last stage to train, None for all.
    Returns whether this is the first process, which is the one to write what follows.
    Raises CmaudioError for what is wrong with corpus, run folder or configuration, and for losses that are not finite.
    """
    if until is not None and until not in STAGES:
        raise CmaudioError(f"no stage {until!r}; there are {', '.join(STAGES)}")
    description = read_description(corpus)
    fabric = launch(config)
    if fabric.is_global_zero:
        open_run(folder, config, corpus, description)
    fabric.barrier()
    with Journal(folder, console, fabric.is_global_zero) as journal:
        run = Run(config, corpus, folder, description, fabric, journal)
        for stage in STAGES:
            if getattr(config, stage) is not None:
                run.stage(stage)
            if stage == until:
                break
    return fabric.is_global_zero


class Run:
    """What the stages share."""

    def __init__(
        self,
        config: RunConfig,
        corpus: Path,
        folder: Path,
        description: CorpusDescription,
        fabric: Fabric,
        journal: Journal,
    ) -> None:
        self.config, self.corpus, self.folder, self.description = config, corpus, folder, description
        self.fabric, self.journal = fabric, journal
        self.timbres = [timbre.name for timbre in description.timbres]
        self.statistics = self._statistics()
        alignment = folder / ALIGNMENT
        self.ends = read_alignment(alignment) if alignment.is_file() else None

    def _statistics(self) -> MelStatistics | None:
        """Those of the weights that this run has or starts from; None: of the corpus.

        A vocoder that stays as it is knows no others: a student that is trained comes to it, also from elsewhere.
        """
        config, start = self.config, self.config.start_from
        own = [weights_file(self.folder, stage) for stage in STAGES]
        starts = [start.student, start.teacher, start.vocoder]
        if config.vocoder is None and config.vocoder_tuning is None and config.joint is None:
            starts.insert(0, start.vocoder)
        given = [path for path in (*own, *starts) if path is not None and can_start_from(path)]
        return read_statistics(given[0]) if given else None

    def open_corpus(self, crops: Crops | SentenceStage, with_audio: bool) -> Corpus:
        processes = self.fabric.world_size
        if isinstance(crops, Crops) and crops.chunks % processes:
            raise CmaudioError(
                f"{crops.clips} clips in {crops.chunks} chunks cannot be shared by {processes} processes: set "
                f"chunk_clips to at most {max(1, crops.clips // processes)}, a multiple of {processes} chunks"
            )
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
        )
        self.statistics = corpus.statistics
        return corpus

    def stage(self, name: str) -> None:
        """Train a stage to its end, unless it has been."""
        path = weights_file(self.folder, name)
        if path.is_file():
            self.journal.note(f"{name}: done before ({path})")
            return
        settings = getattr(self.config, name)
        makers: dict[str, Callable[[str, Any], Trainer]] = {
            "aligner": self._aligner,
            "joint": self._joint,
            "prosody": self._prosody,
        }
        other = self._consistency if isinstance(settings, ConsistencyStage) else self._vocoder
        if name == "aligner" and self._timed():
            self.journal.note("aligner: left out, the corpus says when its phonemes are said")
            return
        if name in ("aligner", "prosody") and not self.description.symbols:
            raise CmaudioError(f"{name} needs a corpus with text: prepare it with --language, or set {name} to null")
        trainer = makers.get(name, other)(name, settings)
        average = trainer.run()
        if self.fabric.is_global_zero:
            assert self.statistics is not None
            about = {"stage": name, "steps": str(settings.steps), "run": self.config.name}
            save_weights(path, average, self.statistics, self.timbres, about, self.description.symbols)
            if DISCRIMINATORS in trainer.modules:
                others = trainer.modules[DISCRIMINATORS]
                save_weights(weights_file(self.folder, DISCRIMINATORS), others, self.statistics, [], about)
            if name == "aligner":
                assert isinstance(average, AlignerNetwork)
                self.align(average)
        self.fabric.barrier()
        if name == "aligner":
            self.ends = read_alignment(self.folder / ALIGNMENT)
        self.journal.note(f"{name}: {settings.steps} steps, weights in {path}")

    def _trainer(
        self,
        name: str,
        task: Any,
        corpus: Batches,
        settings: ConsistencyStage | VocoderStage | SentenceStage,
        **more: Any,
    ) -> Trainer:
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
            **more,
        )

    def _consistency(self, name: str, settings: ConsistencyStage) -> Trainer:
        corpus = self.open_corpus(settings.crops, with_audio=False)
        if self.description.symbols and any(spoken is None for spoken in corpus.clips.spoken):
            raise CmaudioError(f"{self.corpus} does not say when its phonemes are said: give the run an aligner stage")
        if settings.energy_noise and not self.description.symbols:
            raise CmaudioError(f"{name}.energy_noise is for corpora with text; leave it out for notes")
        network = self.initial(name, self.new_network())
        teacher = self.trained("teacher", self.new_network()) if name == "student" else None
        task = ConsistencyTask(network, settings, self.config.sigma, teacher=teacher, compiled=self.config.loop.compile)
        trainer = self._trainer(name, task, corpus, settings, crops=settings.crops)
        demonstration = Demonstration(self.corpus, corpus, self.config, self.journal, name)
        trainer.show = lambda step: demonstration.network(trainer.average, step)
        return trainer

    def _aligner(self, name: str, settings: SentenceStage) -> Trainer:
        corpus = self.open_corpus(settings, with_audio=False)
        network = make_aligner_network(self.config, self.description)
        self.fabric.to_device(network)
        task = AlignerTask(network, settings)
        return self._trainer(name, task, Sentences(corpus), settings, crops=settings)

    def _timed(self) -> bool:
        """Whether the corpus brings the times of its phonemes, by its first shard."""
        return all(
            spoken is not None for spoken in read_clips(self.corpus, self.description, "train", [0], False).spoken
        )

    def align(self, network: AlignerNetwork) -> None:
        """Find the ends of all phonemes of the corpus, held-out clips too, and write them down."""
        stage = self.config.aligner
        assert stage is not None
        task = AlignerTask(network, stage)
        rate = self.description.signal.frame_rate
        ends: dict[str, list[float]] = {}
        for split in SPLITS:
            for shard in range(self.description.splits[split].shards):
                for name, frames in self._align_shard(task, split, shard):
                    ends[name] = [round(frame / rate, 4) for frame in frames]
        write_alignment(self.folder / ALIGNMENT, self._without_lag(ends))

    def _without_lag(self, ends: dict[str, list[float]]) -> dict[str, list[float]]:
        """Moved to where phonemes explain most of the spectrum: an aligner looks around, and ends them late."""
        lag = lag_of(read_clips(self.corpus, self.description, "train", [0], with_audio=False, ends=ends))
        if lag is None or not lag.frames:
            return ends
        seconds = lag.frames / self.description.signal.frame_rate
        self.journal.note(
            f"aligner: phonemes moved by {-seconds:+.3f} s, where they explain {lag.explained_when_moved:.0%} of the "
            f"spectrum instead of {lag.explained:.0%}"
        )
        return {name: [*(round(max(0, end - seconds), 4) for end in of[:-1]), of[-1]] for name, of in ends.items()}

    def _align_shard(self, task: AlignerTask, split: Split, shard: int) -> Iterator[tuple[str, list[int]]]:
        clips = read_clips(self.corpus, self.description, split, [shard], False).to(self.fabric.device)
        assert self.statistics is not None
        for index, (name, ids) in enumerate(zip(clips.names, clips.ids, strict=True)):
            if 0 < len(ids) <= int(clips.frames[index]):
                batch = sentence_batch(clips, [index], self.statistics)
                yield name, task.ends(batch)[0]

    def _prosody(self, name: str, settings: SentenceStage) -> Trainer:
        corpus = self.open_corpus(settings, with_audio=False)
        network = self.fabric.to_device(self.initial(name, make_prosody_network(self.config, self.description)))
        timbres = self.trained("student", self.new_network()).timbres.weight
        task = ProsodyTask(network, settings, timbres, self.description.signal.frame_rate)
        return self._trainer(name, task, BreathGroups(corpus), settings, crops=settings)

    def _vocoder(self, name: str, settings: VocoderStage) -> Trainer:
        crops = settings.crops
        generated = settings.generated_share > 0
        if generated:
            crops = self._with_context(name, crops)
        corpus = self.open_corpus(crops, with_audio=True)
        vocoder = self.fabric.to_device(self.initial(name, make_vocoder_network(self.config, self.description.signal)))
        task = VocoderTask(
            vocoder,
            self.description.signal.signal(),
            settings.losses,
            steps=settings.steps,
            warm_up_frames=settings.crops.warm_up_frames,
            gradient_norm=settings.gradient_norm,
            compiled=self.config.loop.compile,
        )
        self._resume_discriminators(name, task.discriminators)
        transform = None
        if generated:
            maker = self.trained("student", self.new_network())
            transform = GeneratedMels(maker, settings, self.config.sigma, self.description.signal.hop_length)
        trainer = self._trainer(name, task, corpus, settings, crops=crops, transform=transform)
        demonstration = Demonstration(self.corpus, corpus, self.config, self.journal, name)
        trainer.show = lambda step: demonstration.vocoder(trainer.average, step)
        return trainer

    def _joint(self, name: str, settings: JointStage) -> Trainer:
        crops = self._with_context(name, settings.crops)
        corpus = self.open_corpus(crops, with_audio=True)
        signal = self.description.signal
        vocoder = self.trained("vocoder", make_vocoder_network(self.config, signal))
        task = JointTask(
            self.trained("student", self.new_network()),
            self.fabric.to_device(vocoder),
            settings,
            signal.signal(),
            self.config.sigma,
            compiled=self.config.loop.compile,
        )
        self._resume_discriminators(name, task.discriminators)
        trainer = self._trainer(name, task, corpus, settings, crops=crops)
        demonstration = Demonstration(self.corpus, corpus, self.config, self.journal, name)

        def show(step: int) -> None:
            voice = trainer.average
            assert isinstance(voice, JointNetworks)
            demonstration.network(voice.network, step)
            demonstration.vocoder(voice.vocoder, step)

        trainer.show = show
        return trainer

    def _with_context(self, name: str, crops: Crops) -> Crops:
        """Longer by what the consistency network hears before it makes a crop's mel."""
        frames, k = crops.frames + CONTEXT_FRAMES, self.config.network.block_frames
        if frames % k:
            raise CmaudioError(
                f"{name}.crops.frames {crops.frames}, with the {CONTEXT_FRAMES} frames of past that are read before "
                f"them, must be a multiple of network.block_frames {k}: take {crops.frames + -frames % k}"
            )
        return crops.model_copy(update={"frames": frames})

    def _resume_discriminators(self, name: str, discriminators: Discriminators) -> None:
        """Those that the stage before left, else of `start_from`, where they are of the same shape.

        New ones take thousands of steps until there is something to learn from them.
        """
        path = finished(self.folder, DISCRIMINATORS) or self.config.start_from.discriminators
        if path is None:
            return
        known = start_where_it_fits(path, discriminators)
        origin = f"are those of {path}" if known else f"are new: those of {path} have another shape"
        self.journal.note(f"{name}: discriminators {origin}")

    def new_network(self) -> ConsistencyNetwork:
        """As it was made."""
        network = make_consistency_network(self.config, self.description)
        self.fabric.to_device(network)
        return network

    def initial(self, name: str, module: Any) -> Any:
        """Fill from what the stage before left, else from `start_from`, else leave it as it was made."""
        path = self._beginning(name)
        if path is not None:
            if not can_start_from(path):
                raise CmaudioError(
                    f"{name} begins with {path}, which is not there; train that stage first or mend start_from"
                )
            found = start_from(path, module, self.timbres, self.description.symbols)
            self.journal.note(f"{name} begins with {path} ({found} of {len(self.timbres)} timbres known)")
        return module

    def _beginning(self, name: str) -> Path | None:
        """Weights that a stage begins with: a student with its teacher's, a tuning with the vocoder's."""
        before = {"student": "teacher", "vocoder_tuning": "vocoder"}.get(name)
        if before and getattr(self.config, before):
            return weights_file(self.folder, before)
        given: dict[str, Path | None] = dict(self.config.start_from)
        return given.get(name) or given.get(before or "")

    def trained(self, name: str, module: Any) -> Any:
        """Fill from the finished stages of this run, or as `initial`."""
        path = finished(self.folder, name)
        if path is None:
            return self.initial(name, module)
        start_from(path, module, self.timbres, self.description.symbols)
        return module
