"""The quality report of a model: its sections in order, and what they were measured on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.breath import measure_breath
from cmaudio.evaluation.buzz import measure_buzz
from cmaudio.evaluation.clicks import measure_clicks
from cmaudio.evaluation.context import EvaluationContext, Figures
from cmaudio.evaluation.corpus import measure_corpus
from cmaudio.evaluation.drift import measure_drift
from cmaudio.evaluation.evenness import measure_evenness
from cmaudio.evaluation.held_out import measure_held_out
from cmaudio.evaluation.modulation import measure_modulation
from cmaudio.evaluation.music import measure_music
from cmaudio.evaluation.onset import measure_onset
from cmaudio.evaluation.partials import measure_partials_of_model
from cmaudio.evaluation.pitch import measure_pitch
from cmaudio.evaluation.played import measure_played
from cmaudio.evaluation.residual import measure_residual
from cmaudio.evaluation.textures import TEXTURE_SECTIONS
from cmaudio.evaluation.velocity import measure_velocity
from cmaudio.evaluation.voice import VOICE_SECTIONS, WITHOUT_CORPUS, VoiceContext
from cmaudio.machine import describe_machine
from cmaudio.model.file import Model, load_model
from cmaudio.soundfont.open import Player, open_reference
from cmaudio.soundfont.player import SoundFont
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.texture_features import TEXTURE_KINDS

SECTIONS: dict[str, Callable[[EvaluationContext], Figures]] = {
    "corpus": measure_corpus,  # first, since the user's files may turn out not to fit
    "pitch": measure_pitch,
    "partials": measure_partials_of_model,
    "modulation": measure_modulation,
    "onset": measure_onset,
    "velocity": measure_velocity,
    "evenness": measure_evenness,
    "drift": measure_drift,
    "held_out": measure_held_out,
    "played": measure_played,
    "residual": measure_residual,
    "buzz": measure_buzz,
    "breath": measure_breath,
    "clicks": measure_clicks,
    "music": measure_music,
}


def run_evaluation(
    model: Model | str = "instrument",
    *,
    soundfont: Path | None = None,
    player: Player | None = None,
    corpus: Path | None = None,
    teacher: Model | str | None = None,
    limit: int | None = None,
    picture: Path | None = None,
    sounds: Path | None = None,
    peers: Sequence[str] = (),
    whisper: Path | None = None,
    only: Sequence[str] | None = None,
    quick: bool = False,
    on_progress: Callable[[str], None] | None = None,
) -> Figures:
    """Evaluate a model: an instrument on notes, a voice on sentences that it reads.

    Args:
        model: a loaded model, an embedded model's name, or a model file.
        soundfont: to compare an instrument with; None for the first that is installed.
        player: of the SoundFont; None for FluidSynth, or TinySoundFont where that is missing.
        corpus: folder of a prepared corpus: for an instrument's section `corpus`, and for all of a voice's.
        teacher: the diffusion model that it was distilled from (`cmaudio export --network teacher`).
        limit: maximum number of clips or sentences of the corpus.
        picture: where to draw an instrument's section `corpus` (.png).
        sounds: folder that keeps what a voice read; None to discard it.
        peers: other text-to-speech systems that read a voice's sentences ("hibari", "piper").
        whisper: folder of a Whisper model for a voice's word error rate; None for the installed packages.
        only: names of sections (`SECTIONS`, `TEXTURE_SECTIONS`, `VOICE_SECTIONS`), None for all.
        quick: a few timbres and notes, or sentences.
        on_progress: called with a line of text.

    Returns:
        The metrics, JSON-able.

    Raises:
        CmaudioError: for an unknown section, and for a model, SoundFont or corpus that cannot be used.
    """
    loaded = model if isinstance(model, Model) else load_model(model)
    tell = on_progress or (lambda message: None)
    taught_by = load_model(teacher) if isinstance(teacher, str) else teacher
    result: Figures = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "model": describe_model(loaded),
        "quick": quick,
    }
    if not loaded.manifest.speech:
        textures = loaded.manifest.features in TEXTURE_KINDS
        if not textures and only is None and corpus is None:
            only = [section for section in SECTIONS if section != "corpus"]
        chosen = _chosen(TEXTURE_SECTIONS if textures else SECTIONS, only)
        if textures:
            reference: SoundFont | str = "not for textures"
        elif set(chosen) == {"corpus"}:
            reference = "the corpus alone"
        else:
            reference = open_reference(soundfont, loaded.manifest.sample_rate, player)
        renderer = Renderer(Synthesizer(loaded))
        context = EvaluationContext(loaded, renderer, reference, quick, tell, corpus, taught_by, limit, picture)
        if not textures:
            described = reference.description if isinstance(reference, SoundFont) else {"not_measured": reference}
            result["soundfont"] = described
        return result | _measure(chosen, context, tell)
    sections = _chosen(VOICE_SECTIONS, only)
    if corpus is None and not WITHOUT_CORPUS.issuperset(sections):
        raise CmaudioError(
            f"model {loaded.manifest.name!r} reads text and is measured on held-out sentences: give --corpus FOLDER "
            f"(without one: {', '.join(f'--only {name}' for name in sorted(WITHOUT_CORPUS))})"
        )
    with nullcontext(sounds) if sounds else TemporaryDirectory(prefix="cmaudio-") as folder:
        voice = VoiceContext(loaded, corpus, Path(folder), tell, quick, limit, taught_by, tuple(peers), whisper)
        return result | _measure(sections, voice, tell)


ContextT = TypeVar("ContextT")


def _measure(
    sections: Mapping[str, Callable[[ContextT], Figures]], context: ContextT, tell: Callable[[str], None]
) -> Figures:
    measured: Figures = {}
    seconds: Figures = {}
    for name, measure in sections.items():
        tell(name)
        start = time.monotonic()
        measured[name] = measure(context)
        seconds[name] = round(time.monotonic() - start, 1)
    return {"sections": measured, "seconds": seconds}


def _chosen(
    sections: Mapping[str, Callable[[ContextT], Figures]], only: Sequence[str] | None
) -> dict[str, Callable[[ContextT], Figures]]:
    """The requested sections, in the order of the report. Raises CmaudioError for an unknown name."""
    unknown = sorted(set(only or ()) - set(sections))
    if unknown:
        raise CmaudioError(f"no section {', '.join(map(repr, unknown))} in the report; there are {', '.join(sections)}")
    return {name: measure for name, measure in sections.items() if only is None or name in only}


def describe_model(model: Model) -> dict[str, str]:
    """Name, kind of weights, and the checksum of the file."""
    return {
        "name": model.manifest.name,
        "weights": model.manifest.weights,
        "sha256": hashlib.sha256(model.path.read_bytes()).hexdigest(),
    }
