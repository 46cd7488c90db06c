"""The panel's folder of sound files: takes, sound saved after it was played, and variations."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.files.names import check_unused, is_text, sound_path, unused_path
from cmaudio.files.reading import reason
from cmaudio.instrument.take import Take
from cmaudio.panel.variations.names import is_variation
from cmaudio.synth import Synth

SOUNDS = (".wav", ".flac")
_MAX_LISTED = 60  # of takes, and of variations
_NAME = re.compile(r"[\w(][\w ().-]{0,80}")


def stamp() -> str:
    """The current time, for a file name."""
    return time.strftime("%Y%m%d-%H%M%S")


def make_folder(folder: Path) -> None:
    """Create the folder of takes, if it does not exist. Raises CmaudioError if it cannot be created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise CmaudioError(f"{folder} cannot be created ({reason(error)}); give another folder with --files") from error


class Takes:
    """Records into a folder, one take at a time, and lists the sound files in it.

    Raises CmaudioError if the folder cannot be created.
    """

    def __init__(self, synth: Synth, folder: Path) -> None:
        self._synth, self.folder = synth, folder
        self._take: Take | None = None
        self._listed_at: tuple[int, str | None] = (-1, None)
        self._listed: list[dict[str, Any]] = []
        make_folder(folder)

    def record(self) -> None:
        """Start a take. Raises CmaudioError while one is being recorded."""
        if self._take is not None and self._take.running:
            raise CmaudioError(f"{self._take.path.name} is being recorded; stop it first")
        self._take = self._synth.record(self._free("take"))

    def stop(self) -> None:
        """End the take. Raises CmaudioError if there is none, and if it could not be written."""
        take, self._take = self._take, None
        if take is None:
            raise CmaudioError("nothing is being recorded")
        take.stop()

    def keep(self, seconds: float) -> Path:
        """Write the last `seconds` of sound; returns the file."""
        return self._synth.keep(self._free("kept"), seconds)

    def path(self, name: str) -> Path:
        """A sound file of the folder by its name. Raises CmaudioError for one that is not listed."""
        if name not in (file["name"] for file in self.files()):
            raise CmaudioError(f"there is no sound file {name[:60]!r} in {self.folder}; put it there and try again")
        return self.folder / name

    def delete(self, name: str) -> None:
        """Delete a listed sound file and the notes beside it. Raises CmaudioError if it cannot be deleted."""
        path = self.path(name)
        try:
            for file in (path, path.with_suffix(".mid")):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise CmaudioError(f"{name} cannot be deleted ({reason(error)}); close what uses it") from error

    def rename(self, name: str, wanted: str) -> Path:
        """Rename a listed sound file and the notes beside it; its extension stays. Returns the renamed file.

        Raises CmaudioError for a name that leads elsewhere or exists, and if the system refuses.
        """
        path, stem = self.path(name), wanted.strip().removesuffix(Path(name).suffix)
        if not _NAME.fullmatch(stem):
            raise CmaudioError(f"a name has letters, digits, spaces and . - _ and no slash, not {wanted[:60]!r}")
        renamed = self.folder / f"{stem}{path.suffix}"
        check_unused(renamed, renamed.with_suffix(".mid"))
        try:
            path.rename(renamed)
            if (notes := path.with_suffix(".mid")).is_file():
                notes.rename(renamed.with_suffix(".mid"))
        except OSError as error:
            raise CmaudioError(f"{name} cannot be renamed ({reason(error)}); choose another name") from error
        return renamed

    def _free(self, kind: str) -> Path:
        return unused_path(self.folder / f"{kind}-{stamp()}.wav", ".mid")

    @property
    def recording(self) -> dict[str, Any] | None:
        """File and seconds of the running take."""
        take = self._take
        if take is None or not take.running:
            return None
        return {"file": take.path.name, "seconds": round(take.seconds, 1)}

    def files(self) -> list[dict[str, Any]]:
        """Name and seconds of the sound files, variations last, each the latest first; read again after changes only.

        Links are left out, as the server does not serve them; so are names that are not UTF-8, which no page can hold,
        and files that disappear in the meantime.
        """
        recording = self.recording["file"] if self.recording else None
        now = (_modified(self.folder), recording)
        if now != self._listed_at:
            paths = [path for path in _children(self.folder) if path.suffix.lower() in SOUNDS and not path.is_symlink()]
            paths = [path for path in paths if path.name != recording and is_text(path.name)]
            paths.sort(key=lambda path: (_modified(path), path.name), reverse=True)
            shown = [path for kind in _by_kind(paths) for path in kind[:_MAX_LISTED]]
            self._listed = [found for path in shown if (found := _described(path)) is not None]
            self._listed_at = now
        return self._listed


def _by_kind(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Takes, and variations."""
    return [path for path in paths if not is_variation(path.name)], [path for path in paths if is_variation(path.name)]


def _modified(path: Path) -> int:
    """Nanoseconds; 0 for a file that has vanished."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _described(path: Path) -> dict[str, Any] | None:
    """The entry of a file on a page: 0 seconds if it is not a sound file; None if it is gone."""
    try:
        seconds = float(soundfile.info(sound_path(path)).duration)
    except (soundfile.SoundFileError, OSError):
        seconds = 0.0
    return {"name": path.name, "seconds": round(seconds, 1)} if path.is_file() else None
