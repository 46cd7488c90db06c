"""The only folder in which clients of the server may write and use files."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import expanded, is_file, is_folder

_MAX_NAME_BYTES = 200  # a file system takes 255 bytes, and endings are added


class SoundFolder:
    """Resolves names sent by clients to paths inside `folder`. Raises CmaudioError if the folder does not exist."""

    def __init__(self, folder: str | Path) -> None:
        self.path = expanded(folder)
        if not is_folder(self.path):
            raise CmaudioError(f"{folder} is not a folder; create it, or choose another one for recordings")
        self.path = self.path.resolve()

    def new_file(self, name: str) -> Path:
        """The path of a new sound file; its events go to a .mid beside it.

        Raises CmaudioError for a name that leads outside the folder (by links too), and for a file that exists.
        """
        path = self._inside(name)
        for file in (path, path.with_suffix(".wav"), path.with_suffix(".mid")):
            if file.exists() or file.is_symlink():
                raise CmaudioError(f"{file.name} exists already, and files are never overwritten; choose another name")
        return path

    def old_file(self, name: str) -> Path:
        """The path of a file that is there. Raises CmaudioError for a name that leads elsewhere, or nowhere."""
        path = self._inside(name)
        if not is_file(path):
            raise CmaudioError(f"there is no file {name[:60]!r} in the server's folder; check the name")
        return path

    def _inside(self, name: str) -> Path:
        # Windows' rules cover both kinds of slash, drives and device paths, so they are applied on every system.
        given = PureWindowsPath(name)
        plain = not (given.drive or given.root or ".." in given.parts or ":" in name) and name.isprintable()
        if not plain or not given.name or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
            raise CmaudioError(
                f"a file name must stay inside the server's folder, without .. or a drive, and have at most "
                f"{_MAX_NAME_BYTES} bytes, not {name[:60]!r}"
            )
        path = self.path.joinpath(*given.parts)
        if not path.resolve().is_relative_to(self.path):
            raise CmaudioError(f"{name!r} leads outside the server's folder")
        return path
