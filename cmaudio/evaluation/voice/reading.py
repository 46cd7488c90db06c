"""Ten minutes of continuous reading: drift of level, pitch and intelligibility from the first minute to the last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.voice.pitch import level_and_pitch
from cmaudio.evaluation.voice.timing import AUDIBLE, write_sound
from cmaudio.model.file import Model
from cmaudio.offline.speak import speak
from cmaudio.signal.dsp import Float
from cmaudio.speech.language import language

READING_SECONDS, WINDOW_SECONDS = 600.0, 60.0
PARTS = ("first", "last")
_TIMED_SENTENCES = 40


def read_on(voice: Model, texts: Sequence[str], sounds: Path, seconds: float, window_seconds: float) -> Figures:
    """Read for `seconds`, with the same sentences in the first and last `window_seconds`.

    Writes SOUNDS/reading/first.wav, last.wav and text.txt. Returns level and pitch of both, and the longest silence.
    """
    lengths = [len(speak(text, model=voice).audio) / voice.manifest.sample_rate for text in texts[:_TIMED_SENTENCES]]
    window = list(texts[: int(np.searchsorted(np.cumsum(lengths), window_seconds)) + 1])
    repeated = list(texts) * (1 + int(seconds / sum(lengths)))
    between = repeated[: max(0, int((seconds - 2 * window_seconds) / np.mean(lengths)))]
    spoken = speak(" ".join([*window, *between, *window]), model=voice)
    rate = spoken.sample_rate
    words = [mark for mark in spoken.marks if mark.kind == "word"]
    count = _count_words(voice, " ".join(window))
    first_end = round(words[count].seconds * rate) if count < len(words) else len(spoken.audio)
    parts = {"first": spoken.audio[:first_end], "last": spoken.audio[round(words[-count].seconds * rate) :]}
    for name, part in parts.items():
        write_sound(sounds / "reading" / f"{name}.wav", part, rate)
    (sounds / "reading" / "text.txt").write_text(" ".join(window), encoding="utf-8")
    return {
        "seconds": round(len(spoken.audio) / rate, 1),
        **{name: level_and_pitch(part, rate) for name, part in parts.items()},
        "longest_silence_seconds": longest_silence(spoken.audio[: -rate // 2], rate),
    }


def _count_words(voice: Model, text: str) -> int:
    """The number of words in which a text is read."""
    assert voice.manifest.speech is not None
    phrases = language(voice.manifest.speech.language).phrases([text])
    return sum(not word.phonemes[0].is_pause for phrase in phrases for word in phrase.words)


def longest_silence(audio: Float, sample_rate: int) -> float:
    """The longest silence in seconds."""
    quiet = np.abs(audio) < AUDIBLE
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return round(float((edges[1::2] - edges[::2]).max(initial=0)) / sample_rate, 2)
