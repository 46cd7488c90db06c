"""The phoneme boundaries of a corpus as found by the trained aligner, and their file."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.place import Place
from cmaudio.files.reading import read_file
from cmaudio.signal.silence import window_levels
from cmaudio.training.corpus.clips import Clips, MelStatistics
from cmaudio.training.corpus.description import SPLITS, CorpusDescription, Split
from cmaudio.training.corpus.label_lag import lag_of
from cmaudio.training.corpus.reading import read_clips
from cmaudio.training.corpus.sentences import sentence_batch
from cmaudio.training.prepare.pause_onsets import with_pause_onsets
from cmaudio.training.tasks.aligner import AlignerTask

Ends = dict[str, list[float]]  # by clip: seconds at which its phonemes end
_MAX_BYTES = 2**30
_QUIET_DB = -35.0  # relative to the loud parts of a clip


def has_phoneme_times(corpus: Place, description: CorpusDescription) -> bool:
    """Whether the corpus comes with phoneme times, judged by its first shard."""
    clips = read_clips(corpus, description, "train", [0], with_audio=False)
    return all(spoken is not None for spoken in clips.spoken)


def align_corpus(
    task: AlignerTask,
    corpus: Place,
    description: CorpusDescription,
    statistics: MelStatistics,
    device: torch.device,
    note: Callable[[str], None],
) -> Ends:
    """Phoneme boundaries of every clip of both splits; pauses start where the sound falls silent.

    Args:
        task: of the trained aligner.
        corpus: its folder.
        description: of the corpus.
        statistics: with which the aligner's mels were normalised.
        device: where the aligner is.
        note: called with a line of text if all boundaries were moved.
    """
    rate = description.signal.frame_rate
    ends: Ends = {}
    for split in SPLITS:
        for shard in range(description.splits[split].shards):
            for name, frames in _align_shard(task, corpus, description, statistics, device, split, shard):
                ends[name] = [round(frame / rate, 4) for frame in frames]
    ends = _without_lag(ends, corpus, description, note)
    for split in SPLITS:
        for shard in range(description.splits[split].shards):
            ends |= silent_pauses(ends, read_clips(corpus, description, split, [shard], with_audio=True), description)
    return ends


def silent_pauses(ends: Ends, clips: Clips, description: CorpusDescription) -> Ends:
    """The boundaries of clips that have any, with pauses moved to the silence.

    The aligner assigns the decay of a vowel to the pause after it.
    """
    rate, moved = description.signal.sample_rate, {}
    for index, (name, ids) in enumerate(zip(clips.names, clips.ids, strict=True)):
        if name in ends:
            audio = clips.audio[clips.rows(index)].cpu().numpy().ravel().astype(np.float32) / np.float32(2**15)
            quiet_db = float(np.percentile(window_levels(audio, rate), 95)) + _QUIET_DB
            phonemes = [description.symbols[symbol] for symbol in ids[:, 0]]
            moved[name] = list(with_pause_onsets(ends[name], phonemes, audio, rate, quiet_db))
    return moved


def _align_shard(
    task: AlignerTask,
    corpus: Place,
    description: CorpusDescription,
    statistics: MelStatistics,
    device: torch.device,
    split: Split,
    shard: int,
) -> Iterator[tuple[str, list[int]]]:
    clips = read_clips(corpus, description, split, [shard], with_audio=False).to(device)
    for index, (name, ids) in enumerate(zip(clips.names, clips.ids, strict=True)):
        if 0 < len(ids) <= int(clips.frames[index]):
            yield name, task.ends(sentence_batch(clips, [index], statistics))[0]


def _without_lag(ends: Ends, corpus: Place, description: CorpusDescription, note: Callable[[str], None]) -> Ends:
    """Shifted to where phonemes explain most of the spectrum: the aligner's receptive field makes boundaries late."""
    lag = lag_of(read_clips(corpus, description, "train", [0], with_audio=False, ends=ends))
    if lag is None or not lag.frames:
        return ends
    seconds = lag.frames / description.signal.frame_rate
    note(
        f"aligner: phonemes shifted by {-seconds:+.3f} s, where they explain {lag.explained_when_moved:.0%} of the "
        f"spectrum instead of {lag.explained:.0%}"
    )
    return {name: [*(round(max(0, end - seconds), 4) for end in of[:-1]), of[-1]] for name, of in ends.items()}


def write_alignment(path: Path, ends: Mapping[str, list[float]]) -> None:
    """Gzipped JSON lines, one per clip: its id and the seconds at which its phonemes end."""
    lines = "".join(
        json.dumps({"id": name, "ends": seconds}, ensure_ascii=False) + "\n" for name, seconds in ends.items()
    )
    with atomic_file(path) as temporary:
        temporary.write_bytes(gzip.compress(lines.encode(), mtime=0))


def read_alignment(path: Path) -> Ends:
    """Inverse of `write_alignment`; raises CmaudioError for a damaged file."""
    try:
        data = gzip.decompress(read_file(path, "alignment", _MAX_BYTES))
        rows = [json.loads(line) for line in data.decode().splitlines()]
        return {row["id"]: row["ends"] for row in rows}
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CmaudioError(f"{path} cannot be read ({error}); delete it, and the aligner stage recreates it") from error
