"""Renders variations to files, in a separate process: `python -m cmaudio.panel.variations.render`.

It reads a job (`cmaudio.panel.variations.job.VariationJob`) as one line of JSON from its standard input, and prints
lines of JSON: {"done": files, "part": of the next one, 0..1}, or {"error": text}. It ends early when its input does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np

from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.input.finish import levelled
from cmaudio.model.file import Model, load_model
from cmaudio.offline.render import TAIL_SECONDS, render_blocks
from cmaudio.panel.variations.job import Variation, VariationJob
from cmaudio.panel.variations.table import add_row
from cmaudio.signal.dsp import Float
from cmaudio.signal.loudness import loudness_lufs
from cmaudio.speech.style import SpeakingStyle

_NICENESS = 15  # the instrument takes precedence
_MAX_SPOKEN_SECONDS = 600.0
_HEARD = 0.005


class Cancelled(Exception):
    """The job was cancelled."""


def _report(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def scheduled(model: Model, job: VariationJob, item: Variation) -> tuple[Engine, float, float]:
    """Schedule one variation.

    Returns:
        An engine, the seconds until the last note ends, and the maximum seconds for its decay.
    """
    engine = Engine(model, steps=job.steps, gain_db=job.gain_db, polyphony=32, channels=job.channels)
    for name, value in job.shape.items():
        if name == "bend":
            engine.bend(value, None, at=0)
        else:
            engine.express(name, value, None, at=0)
    _modulate(engine, job)
    if job.text:
        engine.say(job.text, timbre=item.timbre, seed=item.seed, at=0, **cast("SpeakingStyle", job.style))
        return engine, 0.1, _MAX_SPOKEN_SECONDS
    rate = engine.sample_rate
    for at, pitch, velocity, seconds in job.notes:
        note = engine.note_on(pitch, velocity, timbre=item.timbre, seed=item.seed, at=round(at * rate))
        note.off(at=round((at + seconds) * rate))
    return engine, max(note.at + note.seconds for note in job.notes), TAIL_SECONDS


def _modulate(engine: Engine, job: VariationJob) -> None:
    """Apply the modulation of the sound that is varied."""
    if job.routes:
        controls = Controls(engine, job.gain_db)
        for name, value in job.modulators.items():
            controls.set(name, value, at=0)
        controls.set_routes(job.routes, at=0)


def render_job(job: VariationJob, ended: threading.Event) -> None:
    """Write all files of a job. Raises Cancelled once `ended` is set; no file is left incomplete."""
    model = load_model(job.model)
    for done, item in enumerate(job.items):
        _report(done=done, part=0.0)
        engine, duration, tail = scheduled(model, job, item)
        blocks, made = list[Float](), 0
        for samples in render_blocks(engine, duration, tail):
            if ended.is_set():
                raise Cancelled
            blocks.append(samples)
            made += len(samples)
            _report(done=done, part=min(0.95, made / engine.sample_rate / (duration + 1.0)))
        write(job, item, model, np.concatenate(blocks))
    _report(done=len(job.items), part=0.0)


def write(job: VariationJob, item: Variation, model: Model, samples: Float) -> None:
    """Write a file at the requested loudness, and its row in the table."""
    rate, gain_db = model.manifest.sample_rate, 0.0
    if job.loudness is not None and samples.any():
        samples, gain_db = levelled(samples, rate, "loudness", job.loudness)
    with AudioFileWriter(Path(job.folder) / item.file, rate, channels=job.channels) as file:
        file.write(samples)
    mix = item.timbre if isinstance(item.timbre, dict) else {}
    row = {
        "file": item.file,
        "class": item.sound,
        "take": item.take,
        "seed": item.seed,
        "mix": ", ".join(f"{name} {weight:.3g}" for name, weight in mix.items() if weight >= _HEARD),
        "model": model.manifest.name,
        "licence": model.manifest.licence,
        "seconds": f"{len(samples) / rate:.2f}",
        "loudness_lufs": f"{loudness_lufs(samples, rate):.1f}",
        "peak_db": f"{20 * np.log10(np.abs(samples).max(initial=1e-6)):.1f}",
        "gain_db": f"{gain_db:.1f}",
    }
    add_row(Path(job.folder), row)


def main() -> None:
    """Entry point."""
    with suppress(AttributeError, OSError):  # Windows has no niceness
        os.nice(_NICENESS)
    job, ended = VariationJob.model_validate_json(sys.stdin.readline()), threading.Event()

    def wait_for_end_of_input() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end_of_input, daemon=True).start()
    try:
        render_job(job, ended)
    except CmaudioError as error:
        _report(error=str(error))
    except Cancelled:
        pass
    sys.stdout.flush()
    os._exit(0)  # the thread that waits for the end of the input would keep the interpreter alive


if __name__ == "__main__":
    main()
