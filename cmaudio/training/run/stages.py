"""The trainer of each stage: which networks it trains, from which weights and on which data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.training.config import (
    ConsistencyStage,
    Crops,
    Distillation,
    JointStage,
    PriorStage,
    RunConfig,
    SentenceStage,
    VocoderStage,
)
from cmaudio.training.corpus.frames import FrameSampler
from cmaudio.training.corpus.sentences import BreathGroups, Sentences
from cmaudio.training.run.build_networks import make_aligner_network, make_prosody_network, make_vocoder_network
from cmaudio.training.run.context import RunContext
from cmaudio.training.run.demonstration import Demonstration
from cmaudio.training.run.loop import Trainer
from cmaudio.training.tasks.aligner import AlignerTask
from cmaudio.training.tasks.consistency import ConsistencyTask
from cmaudio.training.tasks.generated_mels import CONTEXT_FRAMES, GeneratedMels
from cmaudio.training.tasks.joint import JointNetworks, JointTask
from cmaudio.training.tasks.prior import PriorTask
from cmaudio.training.tasks.prosody import ProsodyTask
from cmaudio.training.tasks.residual import AsRecorded
from cmaudio.training.tasks.shaped_mels import ShapedMels
from cmaudio.training.tasks.vocoder import VocoderTask
from cmaudio.training.tasks.vocoder_distillation import VocoderDistillation


def aligner_trainer(run: RunContext, name: str, settings: SentenceStage) -> Trainer:
    corpus = run.open_corpus(with_audio=False)
    network = make_aligner_network(run.config, run.description)
    run.fabric.to_device(network)
    return run.trainer(name, AlignerTask(network, settings), Sentences(corpus), settings, crops=settings)


def prior_trainer(run: RunContext, name: str, settings: PriorStage) -> Trainer:
    corpus = run.open_corpus(with_audio=False)
    network = run.start.initial(name, run.new_prior())
    task = PriorTask(network, settings, corpus.statistics, run.description.signal.floor)
    return run.trainer(name, task, FrameSampler(corpus, settings), settings, crops=settings)


def consistency_trainer(run: RunContext, name: str, settings: ConsistencyStage) -> Trainer:
    """The trainer of the student or its teacher."""
    corpus = run.open_corpus(with_audio=False)
    if run.description.symbols and any(spoken is None for spoken in corpus.clips.spoken):
        raise CmaudioError(f"{run.corpus} has no phoneme times: add an aligner stage to the configuration")
    if settings.energy_noise and not run.description.symbols:
        raise CmaudioError(f"{name}.energy_noise is for corpora with text; omit it for notes")
    network = run.start.initial(name, run.new_network())
    teacher = run.start.trained("teacher", run.new_network()) if name == "student" else None
    task = ConsistencyTask(network, settings, run.config.sigma, teacher=teacher, compiled=run.config.loop.compile)
    target = run.target(network)
    trainer = run.trainer(name, task, corpus, settings, crops=settings.crops, transform=target)
    demonstration = Demonstration(run.corpus, corpus, run.config, run.journal, name)
    trainer.show = lambda step: demonstration.network(trainer.average, step, target)
    return trainer


def prosody_trainer(run: RunContext, name: str, settings: SentenceStage) -> Trainer:
    corpus = run.open_corpus(with_audio=False)
    network = run.start.initial(name, make_prosody_network(run.config, run.description))
    run.fabric.to_device(network)
    timbres = run.start.trained("student", run.new_network()).timbres.weight
    task = ProsodyTask(network, settings, timbres, run.description.signal.frame_rate)
    return run.trainer(name, task, BreathGroups(corpus), settings, crops=settings)


def vocoder_trainer(run: RunContext, name: str, settings: VocoderStage) -> Trainer:
    """The trainer of the vocoder, on recorded mels or, for `generated_share` of the clips, on the student's."""
    if settings.distil is not None:
        return _distilling_trainer(run, name, settings, settings.distil)
    generated = settings.generated_share > 0
    crops = with_context(name, settings.crops, run.config) if generated else settings.crops
    corpus = run.open_corpus(with_audio=True)
    signal = run.description.signal
    vocoder = run.start.initial(name, make_vocoder_network(run.config, signal))
    run.fabric.to_device(vocoder)
    task = VocoderTask(
        vocoder,
        signal.signal(),
        settings.losses,
        steps=settings.steps,
        warm_up_frames=settings.crops.warm_up_frames,
        gradient_norm=settings.gradient_norm,
        compiled=run.config.loop.compile,
    )
    run.start.discriminators(name, task.discriminators)
    transform = None
    if generated:
        student = run.start.trained("student", run.new_network())
        transform = GeneratedMels(student, settings, run.config.sigma, signal.hop_length, run.target())
    trainer = run.trainer(name, task, corpus, settings, crops=crops, transform=transform)
    demonstration = Demonstration(run.corpus, corpus, run.config, run.journal, name)
    trainer.show = lambda step: demonstration.vocoder(trainer.average, step)
    return trainer


def _distilling_trainer(run: RunContext, name: str, settings: VocoderStage, distil: Distillation) -> Trainer:
    corpus = run.open_corpus(with_audio=False)
    signal = run.description.signal
    vocoder = run.start.initial(name, make_vocoder_network(run.config, signal))
    teacher = run.start.teacher(name, distil.weights, make_vocoder_network(run.config, signal, distil.network))
    for network in (vocoder, teacher):
        run.fabric.to_device(network)
    task = VocoderDistillation(
        vocoder,
        teacher,
        signal.signal(),
        settings.losses,
        steps=settings.steps,
        gradient_norm=settings.gradient_norm,
    )
    transform = ShapedMels(signal.signal().mel, corpus.statistics, distil.shaped_share)
    return run.trainer(name, task, corpus, settings, crops=settings.crops, transform=transform)


def joint_trainer(run: RunContext, name: str, settings: JointStage) -> Trainer:
    """The joint trainer of student and vocoder."""
    crops = with_context(name, settings.crops, run.config)
    corpus = run.open_corpus(with_audio=True)
    signal = run.description.signal
    vocoder = run.start.trained("vocoder", make_vocoder_network(run.config, signal))
    run.fabric.to_device(vocoder)
    task = JointTask(
        run.start.trained("student", run.new_network()),
        vocoder,
        settings,
        signal.signal(),
        run.config.sigma,
        compiled=run.config.loop.compile,
    )
    run.start.discriminators(name, task.discriminators)
    trainer = run.trainer(name, task, corpus, settings, crops=crops)
    demonstration = Demonstration(run.corpus, corpus, run.config, run.journal, name)

    def show(step: int) -> None:
        voice = trainer.average
        assert isinstance(voice, JointNetworks)
        demonstration.network(voice.network, step, AsRecorded())
        demonstration.vocoder(voice.vocoder, step)

    trainer.show = show
    return trainer


def with_context(name: str, crops: Crops, config: RunConfig) -> Crops:
    """Crops extended by the past that the consistency network reads before it generates a crop's mel."""
    frames, k = crops.frames + CONTEXT_FRAMES, config.network.block_frames
    if frames % k:
        raise CmaudioError(
            f"{name}.crops.frames {crops.frames} plus {CONTEXT_FRAMES} frames of context must be a multiple of "
            f"network.block_frames {k}: use {crops.frames + -frames % k}"
        )
    return crops.model_copy(update={"frames": frames})


TRAINERS: Mapping[str, Callable[[RunContext, str, Any], Trainer]] = {
    "aligner": aligner_trainer,
    "prior": prior_trainer,
    "teacher": consistency_trainer,
    "student": consistency_trainer,
    "vocoder": vocoder_trainer,
    "vocoder_tuning": vocoder_trainer,
    "joint": joint_trainer,
    "prosody": prosody_trainer,
}
