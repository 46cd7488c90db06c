"""Speed of a voice: processor time per second of speech, and the delay until the first sound."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from cmaudio.engine.engine import Engine
from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.voice.sentences import Sentence
from cmaudio.evaluation.voice.speakers import Speaker
from cmaudio.model.file import Model
from cmaudio.offline.speak import read_out
from cmaudio.signal.dsp import Float

AUDIBLE = 1e-3
_READ_SAMPLES, _WAIT_SECONDS = 256, 0.0005


def write_sound(path: Path, audio: Float, sample_rate: int) -> None:
    """Write (N,) samples as 16-bit WAV, creating the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.clip(audio, -1, 1), sample_rate, subtype="PCM_16")


def speak_all(speakers: Mapping[str, Speaker], sentences: Sequence[Sentence], sounds: Path) -> Figures:
    """Every sentence by every speaker in turn, so that all run under the same machine load.

    Writes SOUNDS/<speaker>/<sentence>.wav. Returns, by speaker, elapsed and processor time per second of speech.
    """
    elapsed, used, spoken = (dict.fromkeys(speakers, 0.0) for _ in range(3))
    for number, sentence in enumerate(sentences):
        for name, speaker in speakers.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            audio, rate = speaker(sentence.text, number)
            elapsed[name] += time.perf_counter() - start
            used[name] += time.process_time() - cpu_start
            spoken[name] += len(audio) / rate
            write_sound(sounds / name / f"{sentence.name}.wav", audio, rate)
    return {
        name: {
            "real_time_factor": round(elapsed[name] / spoken[name], 4),
            "cpu_seconds_per_second": round(used[name] / spoken[name], 4),
        }
        for name in speakers
    }


def first_sound(voice: Model, texts: Sequence[str]) -> Figures:
    """Delay from a sentence to its first samples, and to its first audible one if they are played at once."""
    engine = Engine(voice)
    engine.warm_up()
    made, audible = [], []
    for text in texts:
        start = time.perf_counter()
        speech = engine.say(text, background=True)
        while speech.voice is None:
            engine.read(64)
            time.sleep(_WAIT_SECONDS)
        samples = engine.read(_READ_SAMPLES)
        made.append(time.perf_counter() - start)
        while not (np.abs(samples) > AUDIBLE).any() and not engine.idle:
            samples = np.concatenate([samples, engine.read(_READ_SAMPLES)])
        audible.append(made[-1] + int((np.abs(samples) > AUDIBLE).argmax()) / engine.sample_rate)
        speech.stop()
        list(read_out(engine, speech))
    return {
        f"{name}_p{q}_ms": round(1000 * float(np.percentile(seconds, q)), 1)
        for name, seconds in (("made", made), ("audible", audible))
        for q in (50, 99)
    }
