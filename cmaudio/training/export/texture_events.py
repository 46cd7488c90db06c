"""Events of the beds and rhythms of a corpus, measured on its recordings.

An event is a sudden rise above the background, which is the median of each part of the spectrum; the rise is the root
mean square over parts, so that a rise in a few parts counts. A sound without events, with lasting ones, or with events
so dense that they are the sound, gets none.

Shapes: T frames, M mel bands, P parts of the spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.model.events import MOST_FRAMES, PARTS, Events
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.training.corpus.texture_recordings import read_recordings

_DB = 20 / np.log(10)
_LEAST_RISE_DB, _SUDDEN_FRAMES = 7.0, 6  # within so many frames
_APART_FRAMES = 5
_LEAST_EVENTS, _DENSEST = 4, 0.75  # share of frames that belong to events
_BEFORE = 2  # frames of the course before the peak
_OVER_DB = 2.0  # of the course's end
_HEIGHTS = 9
_SHORT_FRAMES, _FALLEN = 8, 0.55  # after the peak, in which a course falls below this

Array = NDArray[np.float64]


def measured_events(model: Model, corpus: Path) -> dict[str, Events]:
    """By name, of the steady timbres of a model that have events in a corpus.

    Raises CmaudioError for a corpus that is not of textures or that has another signal, and where nothing is found.
    """
    manifest = model.manifest
    recorded = read_recordings(corpus, "train", manifest.sample_rate, manifest.hop_length, manifest.mel.bands)
    floor = float(np.log(manifest.mel.floor))
    steady = [timbre.name for timbre in manifest.timbres if timbre.sustained and timbre.name in recorded]
    found = {name: events_of(recorded[name], manifest.frame_rate, floor) for name in steady}
    events = {name: of for name, of in found.items() if of is not None}
    if not events:
        raise CmaudioError(f"{corpus}: no single events were found in its beds and rhythms")
    return events


def events_of(mels: Sequence[Float], frame_rate: float, floor: float) -> Events | None:
    """Of recordings (T, M) of one timbre; None where there are too few, too many, or too long ones."""
    rises = [rise_of(mel, floor) for mel in mels]
    levels = [level_of(rise) for rise in rises]
    peaks = [peaks_of(level) for level in levels]
    count, frames = sum(map(len, peaks)), sum(map(len, rises))
    if count < _LEAST_EVENTS:
        return None
    busy = np.mean(np.concatenate(levels) > _LEAST_RISE_DB / 2)
    if busy > _DENSEST:
        return None
    colours = np.concatenate([rise[at] for rise, at in zip(rises, peaks, strict=True) if len(at)])
    colour = np.median(colours, 0)
    heights = level_of(colours) / max(float(level_of(colour[None])[0]), 1e-6)
    intervals = np.concatenate([np.diff(at) for at in peaks if len(at) > 1] or [np.zeros(0)])
    course = _course(levels, peaks)
    if len(course) > _BEFORE + _SHORT_FRAMES and course[_BEFORE : _BEFORE + _SHORT_FRAMES].min() > _FALLEN:
        return None
    return Events(
        per_second=round(float(np.clip(count / frames * frame_rate, 0.05, 50)), 3),
        regularity=round(_regularity(intervals), 2),
        heights=np.round(np.clip(np.quantile(heights, np.linspace(0, 1, _HEIGHTS)), 0, 10), 2).tolist(),
        colour_db=np.round(np.clip(colour, 0, 100), 1).tolist(),
        course=np.round(np.clip(course, 0, 1), 2).tolist(),
    )


def rise_of(mel: Float, floor: float) -> Array:
    """(T, M) -> (T, P) dB above the background, at least 0."""
    decibels = _DB * np.maximum(mel.astype(np.float64), floor)
    parts = np.stack([part.mean(1) for part in np.array_split(decibels, PARTS, axis=1)], 1)
    return np.maximum(parts - np.median(parts, 0), 0)


def level_of(rise: Array) -> Array:
    """(T, P) -> (T,) dB."""
    return np.asarray(np.sqrt(np.square(rise).mean(1)))


def peaks_of(rise: Array) -> NDArray[np.int64]:
    """(T,) dB -> frames where it is the highest around, and has risen suddenly."""
    padded = np.pad(rise, _APART_FRAMES, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _APART_FRAMES + 1).max(-1)
    earlier = np.lib.stride_tricks.sliding_window_view(np.pad(rise, (_SUDDEN_FRAMES, 0)), _SUDDEN_FRAMES + 1).min(-1)
    found = np.flatnonzero((rise >= highest) & (rise - earlier > _LEAST_RISE_DB))
    separate = np.concatenate([[True], np.diff(found) > _APART_FRAMES]) if len(found) else np.zeros(0, bool)
    return found[separate]


def _course(levels: Sequence[Array], peaks: Sequence[NDArray[np.int64]]) -> Array:
    """(frames,) the median course of events as a share of the peak, until it is over or others follow."""
    rows = []
    for level, at in zip(levels, peaks, strict=True):
        for here, following in pairwise([*at.tolist(), len(level)]):
            part = level[max(0, here - _BEFORE) : min(following - _BEFORE, here + MOST_FRAMES - _BEFORE)]
            row = np.full(MOST_FRAMES, np.nan)
            row[: len(part)] = part / level[here]
            rows.append(row)
    known = np.sum(~np.isnan(rows), 0)
    enough = int(np.argmin(np.append(known, 0) >= max(2, 0.25 * len(rows))))
    course = np.nanmedian(np.array(rows)[:, : max(enough, 1)], 0)
    over = np.flatnonzero(course > _OVER_DB / max(float(np.median([level.max() for level in levels])), _OVER_DB))
    return course[: over[-1] + 1] if len(over) else course[:1]


def _regularity(intervals: Array) -> float:
    """1 less the spread of intervals over their mean; a tenth of them, missed or doubled events, is left out."""
    if len(intervals) < _LEAST_EVENTS:
        return 0.0
    low, high = np.quantile(intervals, (0.05, 0.95))
    kept = intervals[(intervals >= low) & (intervals <= high)]
    return float(np.clip(1 - kept.std() / max(float(kept.mean()), 1e-6), 0, 1))
