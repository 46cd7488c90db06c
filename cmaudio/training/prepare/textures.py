"""A table of recordings as a source of clips of textures: beds, rhythms and one-shots.

Every file is normalised to one level. Training recordings are augmented with variants: faster and slower (`size`), with
another spectral tilt (measured by `sharpness`), and softer (velocity). Variants share the recording's name up to the
sign `VARIANT`, and are one take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
import soxr

from cmaudio.errors import CmaudioError
from cmaudio.files.names import as_text, sound_path
from cmaudio.files.reading import is_folder
from cmaudio.signal.dsp import Float
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.description import Credit, Split
from cmaudio.training.corpus.texture_controls import VARIANT
from cmaudio.training.prepare.folder import SHORTEST_SECONDS, read_mono
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.recorded import clip_of_texture
from cmaudio.training.prepare.source import Maker, Refused, Traits
from cmaudio.training.prepare.table import Listed, read_table

LEVEL_DB, PEAK = -18.0, 0.98  # of every file: its momentary level, or its peak if that is reached first
_SILENT_DB = -70.0
_OCTAVES = {"one-shot": (0.0, -0.5, 0.5, -0.25, 0.25), "bed": (0.0, -0.35, 0.35), "rhythm": (0.0, -0.35, 0.35)}
_SOFTEST_DB, _STEEPEST_DB = -15.0, 3.0  # of a variant; dB per octave
_SEVERAL, _MANY_PIECES = 4, 3  # recordings, or pieces of one, from which one is held out


@dataclass(frozen=True)
class TexturePiece:
    """Part of a file, `frames` sample frames from `start` on (-1: to its end), as variant number `variant`."""

    name: str
    sound: Listed
    variant: int = 0
    start: int = 0
    frames: int = -1


@dataclass(frozen=True)
class TextureSource:
    """The recordings of a table, below a folder.

    Args:
        folder: of the sounds.
        table: CSV (`cmaudio.training.prepare.table`).
        piece_seconds: longest piece.
    """

    folder: Path
    table: Path
    piece_seconds: float = 10.0
    seed: int = 1
    kind: str = "table"
    gain: float = 1.0

    def __post_init__(self) -> None:
        if not is_folder(self.folder):
            raise CmaudioError(f"no folder {self.folder}: give the one with the sounds of {self.table}")
        if not self.piece_seconds >= 1:
            raise CmaudioError(f"--piece-seconds {self.piece_seconds:g} is too short: give at least 1")

    @property
    def name(self) -> str:
        return as_text(self.table.stem)

    @property
    def settings(self) -> Mapping[str, str | int | float | bool | None]:
        return {"piece_seconds": self.piece_seconds, "seed": self.seed}

    @cached_property
    def listed(self) -> list[Listed]:
        return read_table(self.table, self.folder)

    @property
    def licence(self) -> str:
        return ", ".join(sorted({sound.licence for sound in self.listed}))

    @property
    def credits(self) -> list[Credit]:
        """Each author and licence of a timbre, in the order of the table."""
        rows = dict.fromkeys((sound.timbre, sound.licence, sound.author) for sound in self.listed)
        return [Credit(timbre=timbre, licence=licence, author=author) for timbre, licence, author in rows]

    def items(self) -> Mapping[Split, Sequence[TexturePiece]]:
        train: list[TexturePiece] = []
        held_out: list[TexturePiece] = []
        for timbre in dict.fromkeys(sound.timbre for sound in self.listed):
            of_timbre = [sound for sound in self.listed if sound.timbre == timbre]
            pieces = {sound.file: self._pieces(sound) for sound in of_timbre}
            chosen = self._held_out(of_timbre, pieces)
            held_out += chosen
            for piece in (piece for of_file in pieces.values() for piece in of_file if piece not in chosen):
                train += self._variants(piece)
        return {"train": train, "held_out": held_out}

    def _held_out(
        self, sounds: Sequence[Listed], pieces: Mapping[str, Sequence[TexturePiece]]
    ) -> Sequence[TexturePiece]:
        """Of several recordings one; of a long one its last piece; otherwise nothing."""
        if len(sounds) >= _SEVERAL:
            chosen = min(sounds, key=lambda sound: sha256(f"{self.seed} {sound.file!a}".encode()).hexdigest())
            return pieces[chosen.file]
        longest = max(pieces.values(), key=len)
        return longest[-1:] if len(longest) >= _MANY_PIECES else []

    def _pieces(self, sound: Listed) -> list[TexturePiece]:
        try:
            info = soundfile.info(sound_path(self.folder / sound.file))
        except (OSError, RuntimeError):  # the worker that reads it reports the reason
            return [TexturePiece(sound.file, sound)]
        count = int(np.ceil(info.duration / self.piece_seconds)) if sound.steady else 1
        if count <= 1:
            return [TexturePiece(sound.file, sound)]
        edges = np.linspace(0, info.frames, count + 1).astype(int).tolist()
        return [
            TexturePiece(f"{sound.file} @{i:04d}", sound, 0, start, end - start)
            for i, (start, end) in enumerate(pairwise(edges))
        ]

    def _variants(self, piece: TexturePiece) -> list[TexturePiece]:
        count = len(_OCTAVES[piece.sound.kind])
        more = [
            TexturePiece(f"{piece.name}{VARIANT}{i}", piece.sound, i, piece.start, piece.frames)
            for i in range(1, count)
        ]
        return [piece, *more]

    def open(self, signal: Signal) -> Maker[TexturePiece]:
        return lambda piece: [self._clip(piece, signal)]

    def _clip(self, piece: TexturePiece, signal: Signal) -> Clip:
        path, rate = self.folder / piece.sound.file, signal.sample_rate
        audio = read_mono(path, piece.start, piece.frames, rate) * np.float32(self._level(piece.sound.file))
        if len(audio) < SHORTEST_SECONDS * rate:
            raise Refused(f"shorter than {SHORTEST_SECONDS * 1000:g} ms")
        if momentary_level_db(audio, rate) < _SILENT_DB:
            raise Refused(f"silent (below {_SILENT_DB:g} dB)")
        rng = np.random.default_rng(int(sha256(f"{self.seed} {piece.name!a}".encode()).hexdigest()[:12], 16))
        size, slope, gain_db = _OCTAVES[piece.sound.kind][piece.variant], 0.0, 0.0
        if piece.variant:
            slope, gain_db = rng.uniform(-_STEEPEST_DB, _STEEPEST_DB), rng.uniform(_SOFTEST_DB, 0)
            audio = sloped(slower(audio, size, rate), slope, rate)
        return clip_of_texture(
            audio * np.float32(10 ** (gain_db / 20)),
            name=piece.name,
            timbre=piece.sound.timbre,
            steady=piece.sound.steady,
            inside=piece.start > 0,
            velocity=127 * 10 ** (gain_db / 40),
            size=size,
            signal=signal,
            rng=rng,
        )

    def _level(self, file: str) -> float:
        """The gain that brings a file to `LEVEL_DB`, or its peak to `PEAK`."""
        with soundfile.SoundFile(sound_path(self.folder / file)) as opened:
            audio = opened.read(dtype="float32", always_2d=True).mean(1)
            level = momentary_level_db(audio, opened.samplerate)
        return float(min(10 ** ((LEVEL_DB - level) / 20), PEAK / max(np.abs(audio).max(), 1e-6)))

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        return Traits(pitched=False, sustained=next(s.steady for s in self.listed if s.timbre == timbre))


def slower(audio: Float, octaves: float, sample_rate: int) -> Float:
    """(N,) played slower and lower by `octaves`, faster if negative: the same sound source, larger or smaller."""
    if octaves == 0:
        return audio
    return soxr.resample(audio, sample_rate, sample_rate * 2.0**octaves).astype(np.float32)


def sloped(audio: Float, db_per_octave: float, sample_rate: int) -> Float:
    """(N,) with a spectral tilt around 1 kHz added, at the same peak as before."""
    spectrum = np.fft.rfft(audio)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(audio), 1 / sample_rate), 30.0) / 1000)
    out = np.fft.irfft(spectrum * 10 ** (db_per_octave * octaves / 20), len(audio))
    before, after = np.sqrt(np.mean(np.square(audio))), np.sqrt(np.mean(np.square(out)))
    gain = min(before / max(after, 1e-9), PEAK / max(np.abs(out).max(), 1e-9))
    return (out * gain).astype(np.float32)
