"""Shards of a corpus on disk, in Lhotse's Shar format."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from cmaudio.files.place import Place, local_files
from cmaudio.signal.dsp import Float
from cmaudio.training.corpus.clip import Clip, Signal, f0_hz, harmonics, log_mel
from cmaudio.training.corpus.description import SPLITS, CorpusDescription, Split

ARRAYS = ("log_mel", "harmonics", "pitch_track")
_FULL_SCALE = 32_767  # the integer that libsndfile writes for 1.0


def field_files(index: int) -> list[str]:
    """File names of a shard."""
    return [f"cuts.{index:06d}.jsonl.gz", *(f"{name}.{index:06d}.tar" for name in ("recording", *ARRAYS))]


def quantise(audio: Float) -> NDArray[np.int16]:
    """(N,) samples, clipped at 1, to 16 bit."""
    return np.rint(np.clip(audio, -1, 1) * _FULL_SCALE).astype(np.int16)


@contextmanager
def write_cuts(folder: Path, index: int, signal: Signal, gain: float) -> Iterator[Callable[[Clip], None]]:
    """Yields a function that adds a clip to the shard."""
    from lhotse.shar import SharWriter

    fields = {"recording": "flac", **dict.fromkeys(ARRAYS, "numpy")}
    writer = SharWriter(str(folder), fields=fields, shard_size=2**31, shard_offset=index)
    count = 0

    def write(clip: Clip) -> None:
        nonlocal count
        writer.write(make_cut(clip, signal, gain))
        count += 1

    with writer:
        yield write
    if not count:
        _write_empty(folder, index)


def read_cuts(
    folder: Place, description: CorpusDescription, splits: Iterable[Split] = SPLITS
) -> Iterator[tuple[str, dict[str, Any], Float]]:
    """Name, custom fields and log-mel (T, M) of every clip of a corpus."""
    from lhotse import CutSet

    for split in splits:
        for shard in range(description.splits[split].shards):
            cuts, _, log_mel_file, *_ = field_files(shard)
            with local_files(folder / split, [cuts, log_mel_file]) as here:
                fields = {"cuts": [str(here / cuts)], "log_mel": [str(here / log_mel_file)]}
                for cut in CutSet.from_shar(fields=fields):
                    yield cut.id, cut.custom, cut.load_log_mel().astype(np.float32)


def read_samples(
    folder: Place, description: CorpusDescription, split: Split
) -> Iterator[tuple[str, dict[str, Any], Float]]:
    """Name, custom fields and samples (N,) of every clip of a split."""
    from lhotse import CutSet

    for shard in range(description.splits[split].shards):
        cuts, recordings, *_ = field_files(shard)
        with local_files(folder / split, [cuts, recordings]) as here:
            fields = {"cuts": [str(here / cuts)], "recording": [str(here / recordings)]}
            for cut in CutSet.from_shar(fields=fields):
                yield cut.id, cut.custom, cut.load_audio()[0].astype(np.float32)


def _write_empty(folder: Path, index: int) -> None:
    """Lhotse creates the files with the first cut, which a shard whose items all failed lacks."""
    cuts, *archives = field_files(index)
    (folder / cuts).write_bytes(gzip.compress(b"", mtime=0))
    for name in archives:
        tarfile.open(folder / name, "w").close()


def make_cut(clip: Clip, signal: Signal, gain: float) -> Any:
    """A Lhotse cut with everything in memory. Features are computed from the 16-bit samples that will be read."""
    from lhotse import MonoCut, SupervisionSegment

    rate, hop = signal.sample_rate, signal.hop_length
    frames, rest = divmod(len(clip.audio), hop)
    assert rest == 0, clip.name
    assert len(clip.semitones) == len(clip.voiced) == frames, clip.name
    samples = quantise(clip.audio)
    duration = len(samples) / rate
    cut = MonoCut(
        id=clip.name,
        start=0,
        duration=duration,
        channel=0,
        recording=_recording(clip.name, samples, rate),
        supervisions=[SupervisionSegment(clip.name, clip.name, 0, duration, text=clip.text, speaker=clip.timbre)],
        custom={
            "timbre": clip.timbre,
            "pitch": float(clip.pitch),
            "velocity": float(clip.velocity),
            "onset_samples": int(clip.onset_samples),
            "release_samples": int(clip.release_samples),
            **({"phonemes": list(clip.phonemes), "ends": list(clip.ends)} if clip.phonemes else {}),
            **({} if clip.size is None else {"size": clip.size}),
        },
    )
    arrays = (
        log_mel(signal, samples.astype(np.float32) / np.float32(32_768), gain).astype(np.float16),
        harmonics(signal, f0_hz(clip.semitones, clip.voiced)).astype(np.float16),
        np.stack([clip.semitones, clip.voiced], 1).astype(np.float32),
    )
    for name, array in zip(ARRAYS, arrays, strict=True):
        cut = cut.attach_tensor(name, array, frame_shift=hop / rate, temporal_dim=0)
    return cut


def _recording(name: str, samples: NDArray[np.int16], sample_rate: int) -> Any:
    """A recording in memory, scaled so that writing it as 16 bit gives exactly `samples` again."""
    from lhotse import Recording

    data = io.BytesIO()
    soundfile.write(data, samples.astype(np.float32) / _FULL_SCALE, sample_rate, format="WAV", subtype="FLOAT")
    return Recording.from_bytes(data.getvalue(), recording_id=name)
