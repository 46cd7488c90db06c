"""Measures the partial frequencies of a corpus's timbres on its own clips, as the last step of preparing it.

Steady notes are measured, one per key of a timbre, at most 24, without bends during the measurement.
"""

from __future__ import annotations

import numpy as np

from cmaudio.files.place import Place
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.partials import (
    UNTIL_SECONDS,
    NotePartials,
    decide_partials,
    partials_of_note,
)
from cmaudio.synthesis.excitation import nearest_key
from cmaudio.training.corpus.clips import Clips
from cmaudio.training.corpus.description import (
    CorpusDescription,
    CorpusTimbre,
    read_description,
    write_description,
)
from cmaudio.training.corpus.reading import read_clips

_STEADY_CENTS = 3.0
_FEWEST_KEYS, _MOST_KEYS = 4, 24


def write_partials(folder: Place) -> CorpusDescription:
    """Measure all pitched timbres of a finished corpus and write the result to its description.

    Raises CmaudioError if the folder holds no finished corpus, or a shard of it cannot be read.
    """
    description = read_description(folder)
    if description.language or not any(timbre.pitched for timbre in description.timbres):
        return description  # voices are harmonic
    changed = description.model_copy(update={"timbres": _measured_on_clips(folder, description)})
    write_description(folder, changed)
    return changed


def _measured_on_clips(folder: Place, description: CorpusDescription) -> list[CorpusTimbre]:
    notes: list[dict[int, NotePartials]] = [{} for _ in description.timbres]
    for shard in range(description.splits["train"].shards):
        clips = read_clips(folder, description, "train", [shard], with_audio=True)
        for index, timbre in enumerate(clips.timbre.tolist()):
            found = notes[timbre]
            if description.timbres[timbre].pitched and len(found) < _MOST_KEYS:
                _add(found, clips, index, description.signal.sample_rate)
    return [
        timbre.model_copy(update={"partials": decide_partials(list(found.values()), timbre.sustained)})
        if len(found) >= _FEWEST_KEYS
        else timbre
        for timbre, found in zip(description.timbres, notes, strict=True)
    ]


def _add(found: dict[int, NotePartials], clips: Clips, index: int, sample_rate: int) -> None:
    """Measure a clip if it is a steady note of a key that has not been measured yet."""
    rows = clips.rows(index)
    life = clips.controls[rows, :2].float().numpy()  # whether struck, whether released
    f0, audio = clips.f0[rows].numpy(), clips.audio[rows].numpy()
    hop = audio.shape[1]
    onset = int(np.argmax(life[:, 0] > 0))
    frames = slice(onset, onset + int(np.ceil(UNTIL_SECONDS * sample_rate / hop)))
    key = nearest_key(f0)
    steady = f0[frames].min(initial=np.inf) > 0 and 1200 * np.log2(f0[frames].max() / f0[frames].min()) < _STEADY_CENTS
    if life[frames, 1].any() or not steady or key in found:
        return
    samples: Float = audio[onset:].reshape(-1).astype(np.float32) / np.float32(32_768)
    note = partials_of_note(samples, sample_rate, int(key))
    if note is not None:
        found[int(key)] = note
