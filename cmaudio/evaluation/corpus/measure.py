"""The section `corpus` of the report: samplers of teacher and student, the vocoder, and long holds."""

from __future__ import annotations

from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.context import EvaluationContext, Figures, not_measured
from cmaudio.evaluation.corpus.clips import HeldOut, held_out_clips
from cmaudio.evaluation.corpus.copying import measure_copying
from cmaudio.evaluation.corpus.distances import MelScale, patch_frechet
from cmaudio.evaluation.corpus.free_running import block_ms, free_run
from cmaudio.evaluation.corpus.holding import SECONDS, measure_holding
from cmaudio.evaluation.corpus.picture import save_picture
from cmaudio.evaluation.corpus.samplers import Sampler, heun_sampler, multistep
from cmaudio.evaluation.corpus.sound import measure_sound
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer

STUDENT_STEPS, TEACHER_STEPS = (1, 2, 4), (1, 5, 18)
_HEARD = 64
_QUICK_CLIPS, _QUICK_SECONDS = 12, 10


def measure_corpus(context: EvaluationContext) -> Figures:
    """Every sampler free-running on held-out clips, copy-synthesis, and five minutes of held notes.

    Raises CmaudioError for a corpus that does not fit the model (`held_out_clips`), and for another model's teacher.
    """
    if context.corpus is None:
        return not_measured("no corpus: give --corpus FOLDER")
    if context.teacher is not None:
        _check_teacher(context.teacher, context.model)
    found = held_out_clips(context.corpus, context.model, _QUICK_CLIPS if context.quick else context.limit)
    clips, synthesizer = found.clips, context.renderer.synthesizer
    scale = MelScale.of(context.model.manifest)
    recorded = [clip.mel for clip in clips]
    shown: dict[str, list[Float]] = {"recording": recorded}
    rows: dict[str, Figures] = {}
    for label, model, sampler in _samplers(context.model, context.teacher):
        context.progress(f"corpus: {label}")
        rows[label], shown[label] = _measure_sampler(synthesizer if model is None else model, clips, sampler, scale)
    if context.picture:
        save_picture(Path(context.picture), context.model, clips, shown)
    context.progress("corpus: copy-synthesis")
    every = max(1, len(clips) // _HEARD)
    some = clips[::every]
    copied = measure_copying(synthesizer, some, found.speech)
    context.progress("corpus: sound")
    one_step = multistep(1, context.model.manifest.sigma)
    listened = {"copy-synthesis": recorded[::every], one_step.name: shown[one_step.name][::every]}
    sound = measure_sound(synthesizer, some, listened, found.speech)
    context.progress("corpus: held notes")
    return {
        "folder": context.corpus.name,
        "clips": len(clips),
        "timbres_lacking": found.lacking,
        "frechet_of_two_halves": patch_frechet(recorded[::2], recorded[1::2]),
        "samplers": rows,
        "vocoder": copied,
        "sound": sound,
        "held_notes": measure_holding(synthesizer, one_step, _QUICK_SECONDS if context.quick else SECONDS),
    }


def _check_teacher(teacher: Model, student: Model) -> None:
    ours, theirs = student.manifest, teacher.manifest
    wrong = [
        key
        for key in ("sample_rate", "hop_length", "block_frames", "mel")
        if getattr(ours, key) != getattr(theirs, key)
    ]
    if set(student.timbres) - set(teacher.timbres):
        wrong.append("timbres")
    if wrong:
        raise CmaudioError(
            f"{teacher.path} is not the teacher of this model, their {', '.join(wrong)} differ: "
            "give the file that `cmaudio export RUN --network teacher` wrote for the same run"
        )


def _samplers(student: Model, teacher: Model | None) -> list[tuple[str, Synthesizer | None, Sampler]]:
    """Samplers to compare: label, networks (None: the student's), and sampler."""
    rows: list[tuple[str, Synthesizer | None, Sampler]] = []
    if teacher is not None:
        networks, sigma = Synthesizer(teacher), teacher.manifest.sigma
        for steps in TEACHER_STEPS:
            sampler = heun_sampler(steps, sigma)
            rows.append((f"teacher, {sampler.name}", networks, sampler))
    for steps in STUDENT_STEPS:
        sampler = multistep(steps, student.manifest.sigma)
        rows.append((sampler.name, None, sampler))
    return rows


def _measure_sampler(
    synthesizer: Synthesizer, clips: list[HeldOut], sampler: Sampler, scale: MelScale
) -> tuple[Figures, list[Float]]:
    first = free_run(synthesizer, clips, sampler, seed=0)
    second = free_run(synthesizer, clips, sampler, seed=1)
    spread = scale.compare(second, first)
    metrics = {
        "evaluations": sampler.evaluations,
        "block_ms": round(block_ms(synthesizer, clips[0], sampler), 2),
        **scale.compare(first, [clip.mel for clip in clips]),
        "seed_spread_all_db": spread["l1_all_db"],
        "seed_spread_active_db": spread["l1_active_db"],
    }
    return metrics, first
