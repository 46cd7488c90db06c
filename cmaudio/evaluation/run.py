"""The report: its sections one after the other, with what they were measured on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.buzz import measure_buzz
from cmaudio.evaluation.clicks import measure_clicks
from cmaudio.evaluation.corpus import measure_corpus
from cmaudio.evaluation.drift import measure_drift
from cmaudio.evaluation.held_out import measure_held_out
from cmaudio.evaluation.onset import measure_onset
from cmaudio.evaluation.pitch import measure_pitch
from cmaudio.evaluation.setting import Figures, Setting
from cmaudio.evaluation.velocity import measure_velocity
from cmaudio.machine import describe_machine
from cmaudio.model.file import Model, load_model
from cmaudio.soundfont.player import SoundFont, open_soundfont
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.renderer import Renderer

SECTIONS: dict[str, Callable[[Setting], Figures]] = {
    "corpus": measure_corpus,  # first, since what the user named may turn out not to fit
    "pitch": measure_pitch,
    "onset": measure_onset,
    "velocity": measure_velocity,
    "drift": measure_drift,
    "held_out": measure_held_out,
    "buzz": measure_buzz,
    "clicks": measure_clicks,
}


def run_evaluation(
    model: Model | str = "instrument",
    *,
    soundfont: Path | None = None,
    corpus: Path | None = None,
    teacher: Model | str | None = None,
    limit: int | None = None,
    picture: Path | None = None,
    only: Sequence[str] | None = None,
    quick: bool = False,
    on_progress: Callable[[str], None] | None = None,
) -> Figures:
    """Measure a model.

    Args:
        model: a loaded model, an embedded model's name, or a model file.
        soundfont: what to measure beside it; None for the first that is installed.
        corpus: folder of a prepared corpus, for the section `corpus`, which is left out without one.
        teacher: the diffusion model that it was tuned from (`cmaudio export --network teacher`), to stand beside.
        limit: most clips of the corpus. picture: where to paint the corpus's section (.png).
        only: names of sections (`SECTIONS`), None for all. quick: a few timbres and notes, about a minute.
        on_progress: is told in words what is done.
    Returns the figures, JSON-able.
    Raises CmaudioError for an unknown section, and for a model or SoundFont that cannot be read.
    """
    _check_sections(only or ())
    loaded = model if isinstance(model, Model) else load_model(model)
    if loaded.manifest.speech:
        raise CmaudioError(
            f"model {loaded.manifest.name!r} reads text; what it says is measured by scripts/report_voice.py"
        )
    chosen = only or [section for section in SECTIONS if section != "corpus" or corpus is not None]
    alone = set(chosen) == {"corpus"}
    beside = "the corpus alone" if alone else open_soundfont(soundfont, loaded.manifest.sample_rate)
    taught_by = load_model(teacher) if isinstance(teacher, str) else teacher
    setting = Setting(
        loaded,
        Renderer(Synthesizer(loaded)),
        beside,
        quick,
        on_progress or (lambda message: None),
        corpus,
        taught_by,
        limit,
        picture,
    )
    result: Figures = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "model": describe_model(loaded),
        "soundfont": beside.description if isinstance(beside, SoundFont) else {"not_measured": beside},
        "quick": quick,
        "sections": {},
        "seconds": {},
    }
    for name in [section for section in SECTIONS if section in chosen]:
        start = time.monotonic()
        result["sections"][name] = SECTIONS[name](setting)
        result["seconds"][name] = round(time.monotonic() - start, 1)
    return result


def _check_sections(names: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(SECTIONS))
    if unknown:
        raise CmaudioError(f"no section {', '.join(map(repr, unknown))} in the report; there are {', '.join(SECTIONS)}")


def describe_model(model: Model) -> dict[str, str]:
    """Name, kind of weights, and the checksum of the file."""
    return {
        "name": model.manifest.name,
        "weights": model.manifest.weights,
        "sha256": hashlib.sha256(model.path.read_bytes()).hexdigest(),
    }
