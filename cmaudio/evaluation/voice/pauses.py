"""Accuracy of pause marks: how late each is after the silence begins, and how long the silence lasts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.voice.kinds import texts_with_pauses
from cmaudio.evaluation.voice.sentences import Sentence
from cmaudio.model.file import Model
from cmaudio.offline.speak import speak
from cmaudio.signal.dsp import Float
from cmaudio.signal.silence import silence_between, window_levels
from cmaudio.speech.phonemes import PAUSES

_QUIET_DB = -35.0  # relative to the loud parts
_BEFORE_SECONDS = 0.35  # maximum delay of a mark
_NAMES = {",": "comma", ".": "full_stop", "?": "question_mark", "!": "exclamation_mark"}
Timed = tuple[str, float, float]  # symbol, start and end in seconds


def pauses_of_voice(voice: Model, texts: Iterable[str]) -> Figures:
    """Pauses of texts that the voice reads."""
    rows = []
    for number, text in enumerate(texts):
        spoken = speak(text, model=voice, seed=number)
        begins = [(mark.text, mark.seconds) for mark in spoken.marks if mark.kind == "phoneme"]
        ends = [seconds for _, seconds in begins[1:]] + [len(spoken.audio) / spoken.sample_rate]
        timed = [(symbol, begin, end) for (symbol, begin), end in zip(begins, ends, strict=True)]
        rows += _rows(timed, spoken.audio, spoken.sample_rate)
    return _by_kind(rows)


def pauses_of_recordings(sentences: Sequence[Sentence], sample_rate: int) -> Figures:
    """Pauses of the recordings that have phoneme times."""
    return _by_kind([row for s in sentences for row in _rows(s.phonemes, s.clip.audio, sample_rate)])


def measure_pauses(voice: Model, sentences: Sequence[Sentence], quick: bool) -> Figures:
    """`recordings`, if there are any, and `voice`, which reads its own list."""
    assert voice.manifest.speech is not None
    own = texts_with_pauses(voice.manifest.speech.language) or [sentence.text for sentence in sentences]
    figures: Figures = {"voice": pauses_of_voice(voice, own[:4] if quick else own)}
    if any(sentence.phonemes for sentence in sentences):
        figures["recordings"] = pauses_of_recordings(sentences, voice.manifest.sample_rate)
    return figures


def _rows(timed: Sequence[Timed], audio: Float, sample_rate: int) -> list[tuple[str, float, float]]:
    """Symbol, delay of its mark in seconds, and seconds of silence, for each pause that is silent."""
    levels = window_levels(audio, sample_rate)
    quiet_db = float(np.percentile(levels, 95)) + _QUIET_DB
    rows = []
    for (_, previous, _), (symbol, begin, end) in pairwise(timed):
        if symbol not in PAUSES:
            continue
        found = silence_between(levels, quiet_db, max(previous - 0.1, begin - _BEFORE_SECONDS), end + 0.02)
        if found is not None:
            rows.append((symbol, begin - found[0], found[1] - found[0]))
    return rows


def _by_kind(rows: Iterable[tuple[str, float, float]]) -> Figures:
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for symbol, late, silence in rows:
        found[symbol].append((late, silence))
    figures: Figures = {}
    for symbol in PAUSES:
        if symbol in found:
            delays, silences = np.array(found[symbol]).T
            figures[_NAMES[symbol]] = {
                "pauses": len(delays),
                "late_ms_p50": round(1000 * float(np.median(delays)), 1),
                "off_ms_p90": round(1000 * float(np.percentile(np.abs(delays), 90)), 1),
                "silence_s_p50": round(float(np.median(silences)), 3),
                "silence_s_least": round(float(silences.min()), 3),
            }
    return figures
