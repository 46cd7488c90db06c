"""A small corpus of synthetic notes, for tests of what reads and trains on corpora."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cmaudio.controls import UNPITCHED_SEMITONES
from cmaudio.training.data.clip import Clip, Signal
from cmaudio.training.data.description import CorpusDescription, SignalDefinition, Split
from cmaudio.training.data.source import Maker, Traits
from cmaudio.training.data.writer import write_corpus

SIGNAL = SignalDefinition(sample_rate=16_000, hop_length=128, bands=24, f_max_hz=8_000)


@dataclass(frozen=True)
class Note:
    """Number `index` of the notes; even ones are saws, odd ones bursts of noise."""

    index: int
    frames: int

    @property
    def name(self) -> str:
        return f"note {self.index:04d}"


@dataclass(frozen=True)
class Notes:
    """A source of `train` and `held_out` notes of 40 to 119 frames."""

    train: int = 12
    held_out: int = 4
    name: str = "toy"
    licence: str = "none"
    kind: str = "toy"
    gain: float = 1.5

    @property
    def settings(self) -> Mapping[str, str | int | float | bool | None]:
        return {"train": self.train, "held_out": self.held_out}

    def items(self) -> Mapping[Split, Sequence[Note]]:
        notes = [Note(i, 40 + 4 * (i * 7 % 20)) for i in range(self.train + self.held_out)]
        return {"train": notes[: self.train], "held_out": notes[self.train :]}

    def open(self, signal: Signal) -> Maker[Note]:
        return lambda note: [make_clip(note, signal)]

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        return Traits(pitched=timbre == "saw", sustained=True)


def make_clip(note: Note, signal: Signal) -> Clip:
    """A saw or a burst that begins with frame 4 and is let go at two thirds."""
    rng = np.random.default_rng(note.index)
    hop, rate = signal.hop_length, signal.sample_rate
    samples, onset, release = note.frames * hop, 4 * hop, note.frames * hop * 2 // 3
    time = (np.arange(samples) - onset) / rate
    pitched = note.index % 2 == 0
    pitch = float(rng.integers(48, 72)) if pitched else UNPITCHED_SEMITONES
    hz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 9)) if pitched else rng.normal(size=samples)
    velocity = float(rng.integers(30, 120))
    level = 0.1 * velocity / 127 * (time > 0) * np.exp(-20 * np.maximum(time - (release - onset) / rate, 0))
    voiced = (np.arange(note.frames) >= 4) & pitched
    return Clip(
        name=note.name,
        timbre="saw" if pitched else "burst",
        audio=(wave * level).astype(np.float32),
        semitones=np.full(note.frames, pitch, np.float32),
        voiced=voiced.astype(np.float32),
        pitch=pitch,
        velocity=velocity,
        onset_samples=onset,
        release_samples=release,
    )


def make_corpus(folder: Path, train: int = 12, held_out: int = 4, shard_items: int = 4) -> CorpusDescription:
    """Write the corpus to a folder."""
    return write_corpus(folder, Notes(train, held_out), SIGNAL, shard_items=shard_items)[0]
