"""The panel's folder of sound files: takes, what was kept after the fact, variations."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.instrument.take import Take
from cmaudio.synth import Synth

SOUNDS = (".wav", ".flac")
_SHOWN = 60


def stamp() -> str:
    """The time, for a file's name."""
    return time.strftime("%Y%m%d-%H%M%S")


def free_path(folder: Path, stem: str, suffix: str = ".wav") -> Path:
    """A file of that name which is not there yet, numbered if need be."""
    path, count = folder / f"{stem}{suffix}", 1
    while path.exists() or path.with_suffix(".mid").exists():
        count += 1
        path = folder / f"{stem}-{count}{suffix}"
    return path


class Takes:
    """Records into a folder, one take at a time, and says what is in it."""

    def __init__(self, synth: Synth, folder: Path) -> None:
        self._synth, self.folder = synth, folder
        self._take: Take | None = None
        self._seen: tuple[int, str | None] = (-1, None)
        self._files: list[dict[str, Any]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CmaudioError(
                f"{folder} cannot be made ({error.strerror}); give another folder with --files"
            ) from error

    def record(self) -> None:
        """Begin a take. Raises CmaudioError while one is running."""
        if self._take is not None and self._take.running:
            raise CmaudioError(f"{self._take.path.name} is being recorded; stop it first")
        self._take = self._synth.record(free_path(self.folder, f"take-{stamp()}"))

    def stop(self) -> None:
        """End it. Raises CmaudioError where none is running, and what went wrong while it was written."""
        take, self._take = self._take, None
        if take is None:
            raise CmaudioError("nothing is being recorded")
        take.stop()

    def keep(self, seconds: float) -> Path:
        """Write what was played last; returns the file."""
        return self._synth.keep(free_path(self.folder, f"kept-{stamp()}"), seconds)

    @property
    def recording(self) -> dict[str, Any] | None:
        """The running take's file and seconds."""
        take = self._take
        if take is None or not take.running:
            return None
        return {"file": take.path.name, "seconds": round(take.seconds, 1)}

    def files(self) -> list[dict[str, Any]]:
        """Name, seconds and age of the sound files, the latest first; read again when the folder has changed."""
        running = self.recording
        now = (self.folder.stat().st_mtime_ns if self.folder.is_dir() else 0, running["file"] if running else None)
        if now != self._seen:
            self._seen = now
            found = [path for path in self.folder.glob("*") if path.suffix in SOUNDS and path.name != now[1]]
            found.sort(key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
            self._files = [described(path) for path in found[:_SHOWN]]
        return self._files


def described(path: Path) -> dict[str, Any]:
    """What a page shows of a file; 0 seconds for one that is no sound."""
    try:
        seconds = float(soundfile.info(path).duration)
    except (soundfile.SoundFileError, OSError):
        seconds = 0.0
    return {"name": path.name, "seconds": round(seconds, 1)}
