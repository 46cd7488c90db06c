"""Measure disk space, memory and read speed of long corpora, on a generated corpus that does not fit into memory.

python scripts/measure_corpus.py --hours 0.2 --memory-gb 0.02
python scripts/measure_corpus.py --store memory://measured --hours 0.05
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cmaudio.files.place import Place, as_place
from cmaudio.files.remote import RemotePath
from cmaudio.training.config import Crops
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import SignalDefinition, Split
from cmaudio.training.prepare.source import Maker, Traits
from cmaudio.training.prepare.writer import write_corpus

EXTRAPOLATED_HOURS = (500, 10_000)
_FRAMES = 320  # of a clip, 3.4 s


@dataclass(frozen=True)
class Number:
    """A clip to generate."""

    number: int

    @property
    def name(self) -> str:
        return f"noise {self.number}"


@dataclass(frozen=True)
class Noise:
    """Clips of decaying noise, which compress no better than recordings."""

    clips: int
    name: str = "noise"
    licence: str = "CC0-1.0"
    kind: str = "noise"
    gain: float = 1.0

    @property
    def settings(self) -> Mapping[str, int]:
        return {"clips": self.clips}

    def items(self) -> Mapping[Split, Sequence[Number]]:
        return {"train": [Number(i) for i in range(self.clips)], "held_out": []}

    def open(self, signal: Signal) -> Maker[Number]:
        def make(item: Number) -> list[Clip]:
            samples = _FRAMES * signal.hop_length
            fading = np.linspace(0.3, 0.001, samples, dtype=np.float32)
            audio = np.random.default_rng(item.number).standard_normal(samples).astype(np.float32) * fading
            track = np.full(_FRAMES, 60, np.float32)
            return [Clip(item.name, f"t{item.number % 8}", audio, track, track * 0 + 1, 60.0, 100.0, 0, samples)]

        return make

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        return Traits(pitched=True, sustained=False)


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def disk_bytes(folder: Place) -> int:
    """Size of all files of a folder."""
    if isinstance(folder, RemotePath):
        return sum(folder.files().values())
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(folder: Place, hours: float, memory_gb: float, with_audio: bool) -> dict[str, float]:
    """Write the corpus, then read all its windows twice."""
    definition = SignalDefinition()
    clips = max(8, round(hours * 3600 * definition.frame_rate / _FRAMES))
    hours = clips * _FRAMES / definition.frame_rate / 3600
    began = time.perf_counter()
    write_corpus(folder, Noise(clips), definition, shard_items=16)
    written, before = time.perf_counter() - began, peak_mb()
    corpus = Corpus(folder, with_audio=with_audio, memory_gb=memory_gb, window_steps=1)
    windows = -(-corpus.description.splits["train"].shards // corpus.window_shards)
    began = time.perf_counter()
    hours_read = 0.0
    for step in range(2 * windows):
        corpus.batch(step, 0, Crops(clips=8, frames=64))
        hours_read += len(corpus.clips.f0) / definition.frame_rate / 3600
    read = time.perf_counter() - began
    needed = corpus.needed_gb
    return {
        "hours": hours,
        "windows_an_epoch": windows,
        "hours_read": hours_read,
        "disk_gb_an_hour": disk_bytes(folder) / 1e9 / hours,
        "memory_gb_an_hour": needed / hours,
        "memory_gb_if_it_fitted": needed,
        "memory_gb_allowed": memory_gb,
        "memory_gb_taken": max(0.0, peak_mb() - before) / 1024 * 1.073741824,
        "seconds_to_write_an_hour": written / hours,
        "seconds_to_read_an_hour": read / hours_read,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=0.2, help="length of the corpus")
    parser.add_argument("--memory-gb", type=float, default=0.02, help="memory limit of the corpus reader")
    parser.add_argument("--store", default="", help="folder or URL for the corpus; a temporary folder by default")
    parser.add_argument("--with-audio", action="store_true", help="also read the audio, as vocoder stages do")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = as_place(arguments.store) if arguments.store else Path(temporary) / "corpus"
        figures = measure(folder, arguments.hours, arguments.memory_gb, arguments.with_audio)
    for hours in EXTRAPOLATED_HOURS:
        figures[f"disk_gb_of_{hours}_hours"] = figures["disk_gb_an_hour"] * hours
        figures[f"memory_gb_of_{hours}_hours_if_they_fitted"] = figures["memory_gb_an_hour"] * hours
    print(json.dumps({name: float(f"{value:.4g}") for name, value in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
