"""Intonation: the pitch at the end of sentences of each type, relative to their median."""

from __future__ import annotations

import numpy as np

from cmaudio.evaluation.context import Figures, not_measured
from cmaudio.evaluation.voice.kinds import sentences_by_kind
from cmaudio.evaluation.voice.pitch import track_f0
from cmaudio.model.file import Model
from cmaudio.offline.speak import speak
from cmaudio.offline.spoken import Spoken
from cmaudio.signal.dsp import Float
from cmaudio.signal.silence import WINDOW_SECONDS, window_levels

_END_SECONDS = 0.1
_HEARD_DB = -30.0  # relative to the loud parts; softer frames have no audible pitch
_FRAME_SECONDS = 0.01
_RESOLUTION = 0.25  # semitones; three times as fast as pYIN's own


def intonation(voice: Model, quick: bool) -> Figures:
    """By sentence type: `end` (median pitch of the last voiced 0.1 s) and `span` (5th to 95th percentile).

    Both in semitones, `end` relative to the sentence's median. Where a word is asked about, `peak` is its highest
    pitch, and `peak_there` the share of sentences whose highest pitch lies in it.
    """
    assert voice.manifest.speech is not None
    kinds = sentences_by_kind(voice.manifest.speech.language)
    if not kinds:
        return not_measured(f"no sentences in {voice.manifest.speech.language}")
    return {kind: _of_kind(voice, texts[:4] if quick else texts) for kind, texts in kinds.items()}


def _of_kind(voice: Model, texts: list[str]) -> Figures:
    ends, spans, peaks, in_word = [], [], [], []
    for number, text in enumerate(texts):
        spoken = speak(text.replace("*", ""), model=voice, seed=number)
        times, semitones = melody(spoken.audio, spoken.sample_rate)
        if len(times) < 2:
            continue
        above = semitones - np.median(semitones)
        ends.append(float(np.median(above[times > times[-1] - _END_SECONDS])))
        low, high = np.percentile(semitones, [5, 95])
        spans.append(float(high - low))
        word = _marked_word(spoken, text)
        inside = (times >= word[0]) & (times < word[1]) if word else np.zeros(len(times), bool)
        if inside.any():
            peaks.append(float(np.percentile(above[inside], 95)))
            in_word.append(bool(inside[int(np.argmax(above))]))
    peak_figures = (
        {"peak": round(float(np.median(peaks)), 2), "peak_there": round(float(np.mean(in_word)), 2)} if peaks else {}
    )
    end, span = (round(float(np.median(values)), 2) for values in (ends, spans))
    return {"sentences": len(ends), "end": end, "span": span, **peak_figures}


def _marked_word(spoken: Spoken, text: str) -> tuple[float, float] | None:
    """The time of the word in asterisks, in seconds."""
    before, found, _ = text.partition("*")
    if not found:
        return None
    starts = [mark.seconds for mark in spoken.marks if mark.kind == "word"]
    at = len(before.split())
    word_end = starts[at + 1] if at + 1 < len(starts) else len(spoken.audio) / spoken.sample_rate
    return (starts[at], word_end) if at < len(starts) else None


def melody(audio: Float, sample_rate: int) -> tuple[Float, Float]:
    """(T,) seconds and (T,) MIDI note numbers of voiced frames that are loud enough to be heard."""
    f0 = track_f0(audio, sample_rate, _RESOLUTION)
    levels = window_levels(audio, sample_rate)
    times = np.arange(len(f0)) * _FRAME_SECONDS
    at = np.minimum((times / WINDOW_SECONDS).astype(int), len(levels) - 1)
    audible = (f0 > 0) & (levels[at] > np.percentile(levels, 95) + _HEARD_DB)
    return times[audible].astype(np.float32), (69 + 12 * np.log2(f0[audible] / 440)).astype(np.float32)
