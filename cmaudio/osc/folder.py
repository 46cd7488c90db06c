"""The one folder into which files may be written by whoever reaches the server."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

from cmaudio.errors import CmaudioError

_NAME_MAX = 200


class SoundFolder:
    """Gives paths inside `folder` for names that strangers send. Raises CmaudioError if there is no such folder."""

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder).expanduser().resolve()
        if not self.path.is_dir():
            raise CmaudioError(f"{folder} is no folder; create it, or give another one for recordings")

    def new_file(self, name: str) -> Path:
        """Where a new sound file of this name goes, its events (.mid) beside it.

        Raises CmaudioError for a name that leads outside (links included), and where a file is already.
        """
        # Windows' rules know both kinds of slash, drives and device paths; they are asked on every system.
        given = PureWindowsPath(name)
        plain = not (given.drive or given.root or ".." in given.parts or ":" in name) and name.isprintable()
        if not plain or not given.name or len(name) > _NAME_MAX:
            raise CmaudioError(f"a file is named inside the server's folder, without .. or a drive, not {name[:60]!r}")
        path = self.path.joinpath(*given.parts)
        if not path.resolve().is_relative_to(self.path):
            raise CmaudioError(f"{name!r} leads out of the server's folder")
        for file in (path, path.with_suffix(".wav"), path.with_suffix(".mid")):
            if file.exists() or file.is_symlink():
                raise CmaudioError(f"{file.name} is there already, and nothing is written over; give another name")
        return path
