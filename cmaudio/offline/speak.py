"""Speaking a text to samples, without a sound card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.engine.speech import Speech
from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.files.audio_parts import AudioFileParts
from cmaudio.files.targets import AudioTarget, audio_target
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.offline.spoken import Spoken
from cmaudio.signal.dsp import Float
from cmaudio.signal.sound import Sound
from cmaudio.speech.style import SpeakingStyle

DEFAULT_VOICE = "english"
_READ_SAMPLES = 4096


def speak(
    text: str | Iterable[str],
    path: AudioTarget | None = None,
    *,
    format: str | None = None,
    model: Model | str | None = None,
    timbre: Timbre | None = None,
    seed: int = 0,
    steps: int = 1,
    phonemes: bool = False,
    ssml: bool = False,
    pronunciations: Mapping[str, str] | None = None,
    gain_db: float = 0.0,
    channels: int | None = None,
    keep_samples: bool = True,
    on_progress: Callable[[float], None] | None = None,
    on_notice: Callable[[str], None] | None = None,
    **style: Unpack[SpeakingStyle],
) -> Spoken:
    """Speak a text, faster than real time and without a sound card.

    Args:
        text, phonemes, ssml, pronunciations, timbre, rate, pitch, pitch_range, energy: see `Engine.say`.
        path: also write it there (.wav, .flac, .ogg, .opus or .mp3); an error leaves no partial file. Beyond the 4 GiB
            of a WAV file, it continues in further files, with -2, -3 and so on in their names. Or an open binary file,
            see `cmaudio.render`.
        format: of an open file.
        model: a voice, its name or its file; the embedded English one by default.
        channels: see `Engine`; 1 by default.
        keep_samples: False for texts of hours, whose samples would fill the memory: they are only in the file.
        on_progress: called with the seconds rendered so far.
        on_notice: called with one line when the sound continues in another file.

    Raises:
        CmaudioError: see `Engine.say`; a file that cannot be written.
    """
    engine = Engine(model or DEFAULT_VOICE, seed=seed, steps=steps, gain_db=gain_db, channels=channels)
    with ExitStack() as files:
        file: AudioFileParts | AudioFileWriter | None = None
        if path is not None:
            place = files.enter_context(audio_target(path, format))
            if isinstance(path, str | Path):
                file = files.enter_context(AudioFileParts(place, engine.sample_rate, engine.channels, on_notice))
            else:
                file = files.enter_context(AudioFileWriter(place, engine.sample_rate, channels=engine.channels))
        speech = engine.say(
            text, timbre=timbre, seed=seed, phonemes=phonemes, ssml=ssml, pronunciations=pronunciations, **style
        )
        blocks = [engine.read(0)]
        for block in read_out(engine, speech):
            if keep_samples:
                blocks.append(block)
            if file is not None:
                file.write(block)
            if on_progress:
                on_progress(engine.now / engine.sample_rate)
    delay = engine.latency_samples / engine.sample_rate
    marks = [replace(mark, seconds=mark.seconds + delay) for mark in speech.marks]
    audio = Sound(np.concatenate(blocks), engine.sample_rate)
    return Spoken(audio, engine.sample_rate, marks, speech.unspoken)


def read_out(engine: Engine, speech: Speech) -> Iterator[Float]:
    """The engine's samples until the text has been spoken and nothing sounds."""
    while not (engine.idle and speech.ended):
        yield engine.read(_READ_SAMPLES)
