"""The files of a run: a local folder, or one in object storage with a working copy on every machine.

A run in object storage is trained in its working copy. `publish` uploads what has changed, each object atomically, and
only then removes old checkpoints, so that the storage always holds a complete one to resume from.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
from pathlib import Path

import platformdirs

from cmaudio.files.place import Place, files_in
from cmaudio.files.reading import is_file, read_json
from cmaudio.files.remote import RemotePath

ABOUT = "run.json"
_CHECKPOINTS = "checkpoints/"
_TEMPORARY = ".cmaudio-"


class RunFiles:
    """The files of a run.

    Args:
        place: of the run.

    Attributes:
        folder: where it is trained.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = place if isinstance(place, Path) else working_copy(place)
        self._published: dict[str, tuple[int, int]] = {}

    def fetch(self) -> None:
        """Bring the working copy up to date; checkpoints that could not be uploaded stay in it.

        A copy of another run is removed first. Raises CmaudioError if the storage does not respond.
        """
        if isinstance(self.place, Path):
            return
        stored = self.place.files()
        if not self._is_copy_of(stored):
            shutil.rmtree(self.folder, ignore_errors=True)
        for name, size in stored.items():
            target = self.folder / name
            if name.startswith(_CHECKPOINTS) and is_file(target) and target.stat().st_size == size:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            (self.place / name).download(target)
        self._published = self._state()

    def _is_copy_of(self, stored: dict[str, int]) -> bool:
        if ABOUT not in stored or not is_file(self.folder / ABOUT):
            return False
        remedy = "delete it"
        theirs, ours = (read_json(where / ABOUT, "run", remedy) for where in (self.place, self.folder))
        return theirs.get("id") == ours.get("id")

    def publish(self) -> None:
        """Upload what has changed. Raises CmaudioError if the storage refuses it; the copy is kept."""
        if isinstance(self.place, Path):
            return
        state = self._state()
        for name in sorted(state, key=lambda name: name == ABOUT):
            if self._published.get(name) != state[name]:
                (self.place / name).upload(self.folder / name)
                self._published[name] = state[name]
        for name in self._published.keys() - state.keys():
            if name.startswith(_CHECKPOINTS):
                (self.place / name).unlink()
            del self._published[name]

    def _state(self) -> dict[str, tuple[int, int]]:
        """Size and time of every file of the working copy."""
        found = {}
        for name in files_in(self.folder):
            if not name.rpartition("/")[2].startswith(_TEMPORARY):
                about = (self.folder / name).stat()
                found[name] = about.st_size, about.st_mtime_ns
        return found


def working_copy(place: RemotePath) -> Path:
    """The folder of this machine for a run in object storage; home folders may be shared by several machines."""
    digest = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    runs = platformdirs.user_cache_path("cmaudio", appauthor=False) / "runs"
    return runs / f"{place.name}-{digest}" / (socket.gethostname() or "machine")
