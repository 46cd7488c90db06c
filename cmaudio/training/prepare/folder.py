"""A folder of sound files as a source of clips: any format that soundfile reads, any sample rate, any length."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from cmaudio.errors import CmaudioError
from cmaudio.files.names import as_text, is_text, sound_path
from cmaudio.files.reading import is_folder
from cmaudio.signal.dsp import Float
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.description import Split
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.recorded import RecordedSound, clips_of_sound
from cmaudio.training.prepare.source import Maker, Refused, Traits

Labels = Literal["folder", "name", "none"]
Pitched = Literal["auto", "yes", "no"]
TARGET_DB = -12.0  # momentary level of the loudest sounds after the gain: that of loud SoundFont notes
SHORTEST_SECONDS = 0.02
_SILENT_DB = -70.0
_LISTENED_FILES, _LISTENED_SECONDS = 64, 10  # for the automatic gain
_LOUD_PERCENTILE = 95
# Longer than any recording; a header that claims more is damaged, and reading it would exhaust the memory.
_LONGEST_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Stretch:
    """Part of a file: `frames` of its sample frames from `start` on, -1 for all. `whole` if it is the only part."""

    name: str
    start: int = 0
    frames: int = -1
    whole: bool = True

    @property
    def path(self) -> str:
        return self.name if self.whole else self.name.rpartition(" @")[0]


@dataclass(frozen=True)
class FolderSource:
    """All files below a folder.

    Args:
        folder: with sound files, also in subfolders.
        labels: source of a file's timbre: its folder, its own name without digits, or "none" (one timbre).
        pitched: whether to condition on the detected pitch; "auto" if at least half of a sound is voiced.
        piece_seconds: longest piece.
        held_out: share of the files (none of fewer than 20).
        gain_db: None to bring the loudest sounds (95th percentile) to -12 dB.
    """

    folder: Path
    labels: Labels = "folder"
    pitched: Pitched = "auto"
    piece_seconds: float = 10.0
    held_out: float = 0.05
    seed: int = 1
    gain_db: float | None = None
    licence: str = "not stated"
    kind: str = "folder"

    def __post_init__(self) -> None:
        if not is_folder(self.folder):
            raise CmaudioError(f"no folder {self.folder}: give one with sound files")
        if not self.piece_seconds >= 1:
            raise CmaudioError(f"--piece-seconds {self.piece_seconds:g} is too short: give at least 1")

    @property
    def name(self) -> str:
        return as_text(self.folder.resolve().name)

    @property
    def settings(self) -> Mapping[str, str | int | float | bool | None]:
        return {
            "labels": self.labels,
            "pitched": self.pitched,
            "piece_seconds": self.piece_seconds,
            "held_out": self.held_out,
            "seed": self.seed,
            "gain_db": self.gain_db,
        }

    @cached_property
    def files(self) -> list[str]:
        """Paths below the folder, sorted, without hidden ones."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        names = sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))
        if not names:
            raise CmaudioError(f"{self.folder} is empty: give a folder with sound files")
        return names

    @cached_property
    def loudest_db(self) -> float:
        """Momentary level of loud sounds of the folder, before the gain."""
        chosen = self.files[:: max(1, len(self.files) // _LISTENED_FILES)]
        levels = [level for level in map(self._level_db, chosen) if level > _SILENT_DB]
        return float(np.percentile(levels, _LOUD_PERCENTILE)) if levels else TARGET_DB

    def _level_db(self, name: str) -> float:
        try:
            with soundfile.SoundFile(sound_path(self.folder / name)) as file:
                audio = file.read(_LISTENED_SECONDS * file.samplerate, dtype="float32", always_2d=True).mean(1)
                return momentary_level_db(audio, file.samplerate) if np.isfinite(audio).all() else -np.inf
        except (OSError, RuntimeError):
            return -np.inf

    @cached_property
    def gain(self) -> float:
        decibels = TARGET_DB - self.loudest_db if self.gain_db is None else self.gain_db
        return float(f"{10 ** (decibels / 20):.4g}")

    def items(self) -> Mapping[Split, Sequence[Stretch]]:
        chosen = self._held_out()
        return {
            "train": [piece for name in self.files if name not in chosen for piece in self._pieces(name)],
            "held_out": [piece for name in self.files if name in chosen for piece in self._pieces(name)],
        }

    def _held_out(self) -> set[str]:
        """Chosen by a hash of their names; every label keeps a training file; at least one of twenty is held out."""
        rank = {name: int(sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8], 16) for name in self.files}
        most = max(self.held_out * len(self.files), 1.0) if len(self.files) >= 20 and self.held_out else 0
        left = Counter(map(self._label, self.files))
        chosen: set[str] = set()
        for name in sorted(self.files, key=lambda name: rank[name]):
            if len(chosen) + 1 > most:
                break
            if left[self._label(name)] > 1:
                left[self._label(name)] -= 1
                chosen.add(name)
        return chosen

    def _pieces(self, name: str) -> Iterator[Stretch]:
        try:
            info = soundfile.info(sound_path(self.folder / name))
            frames, seconds = info.frames, info.frames / info.samplerate
        except (OSError, RuntimeError):  # the worker that reads it reports the reason
            frames, seconds = 0, 0.0
        count = int(np.ceil(seconds / self.piece_seconds)) if seconds < _LONGEST_SECONDS else 1
        if count <= 1:
            yield Stretch(name)
            return
        edges = np.linspace(0, frames, count + 1).astype(int).tolist()
        for index, (start, end) in enumerate(pairwise(edges)):
            yield Stretch(f"{name} @{index:04d}", start, end - start, whole=False)

    def open(self, signal: Signal) -> Maker[Stretch]:
        return lambda stretch: self._clips(stretch, signal)

    def _clips(self, stretch: Stretch, signal: Signal) -> list[Clip]:
        if not is_text(stretch.name):
            raise Refused("its name is not UTF-8: rename the file")
        audio = read_mono(self.folder / stretch.path, stretch.start, stretch.frames, signal.sample_rate)
        if len(audio) < SHORTEST_SECONDS * signal.sample_rate:
            raise Refused(f"shorter than {SHORTEST_SECONDS * 1000:g} ms")
        if momentary_level_db(audio, signal.sample_rate) < _SILENT_DB:
            raise Refused(f"silent (below {_SILENT_DB:g} dB)")
        seed = int(sha256(f"{self.seed} {stretch.name!a}".encode()).hexdigest()[:12], 16)
        about = RecordedSound(
            name=_printable(stretch.name),
            timbre=self._label(stretch.path),
            pitched=self.pitched,
            loudest_db=self.loudest_db,
            cut_before=stretch.start > 0,
            cut_after=not stretch.whole,
        )
        return clips_of_sound(audio, about, signal, np.random.default_rng(seed))

    def _label(self, name: str) -> str:
        path = Path(name)
        text = {"folder": path.parent.name or self.name, "name": path.stem, "none": self.name}[self.labels]
        if self.labels == "name":
            text = re.sub(r"[\s_.-]*\d+", "", text).strip(" _.-") or "unnamed"
        return _printable(text)

    @cached_property
    def _lengths(self) -> dict[str, list[int]]:
        """Pieces per file, by label."""
        lengths: dict[str, list[int]] = {}
        for name in self.files:
            lengths.setdefault(self._label(name), []).append(sum(1 for _ in self._pieces(name)))
        return lengths

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        """Pitched if most of its clips are; sustained if most of its files are longer than a piece."""
        return Traits(pitched=voiced_share >= 0.5, sustained=bool(np.median(self._lengths[timbre]) > 1))


def read_mono(path: Path, start: int, frames: int, sample_rate: int) -> Float:
    """(N,) at `sample_rate` of (part of) a file, channels averaged. Raises Refused with the reason."""
    try:
        if path.stat().st_size == 0:
            raise Refused("empty file")
        with soundfile.SoundFile(sound_path(path)) as file:
            if file.frames > _LONGEST_SECONDS * file.samplerate:
                raise Refused("damaged header: longer than a day")
            file.seek(start)
            audio = file.read(frames, dtype="float32", always_2d=True)
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise Refused(f"not a sound file, or damaged ({error.error_string})") from error
    except FileNotFoundError as error:  # it existed when the files were listed
        raise CmaudioError(
            f"{path} is not on {socket.gethostname()}: all machines must see the same files, and keep them until the "
            "corpus is finished; then run the same command again to resume"
        ) from error
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror})") from error
    if not np.isfinite(audio).all():
        raise Refused("damaged: samples that are not finite")
    mono = audio.mean(1)
    return (soxr.resample(mono, rate, sample_rate) if len(mono) and rate != sample_rate else mono).astype(np.float32)


def _printable(text: str) -> str:
    """A file name without characters that a name in an archive may not contain; two names stay two."""
    return "".join(c if c.isprintable() else f"<{ord(c):x}>" for c in as_text(text))
