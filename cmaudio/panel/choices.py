"""The user's favourites, and whether the first hints were read, in a file beside the presets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from cmaudio.errors import CmaudioError
from cmaudio.files import folders
from cmaudio.panel.json_file import load_json, save_json

Kind = Literal["timbre", "preset", "file"]
_MOST = 500
_Names = Annotated[list[str], Field(max_length=_MOST)]


@dataclass
class _Choices:
    """The file. `timbre` and `preset` hold names by model, `file` paths of sounds."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    timbre: dict[str, _Names] = field(default_factory=dict)
    preset: dict[str, _Names] = field(default_factory=dict)
    file: _Names = field(default_factory=list)
    hints_read: bool = False


_ADAPTER = TypeAdapter(_Choices)


def choices_file() -> Path:
    """The user's own file, beside the presets."""
    return folders.user_folder() / "panel.json"


class Choices:
    """Favourites of one model, and of one folder of sounds.

    Args:
        model: its name.
        folder: the sounds.
        on_notice: called if the file is damaged; all favourites are then lost.
    """

    def __init__(self, model: str, folder: Path, on_notice: Callable[[str], object]) -> None:
        self._model, self._folder, self._on_notice = model, folder.resolve(), on_notice
        self._saved = self._read()

    def favourites(self) -> dict[str, list[str]]:
        """Names of timbres, presets and sound files of the folder, by kind."""
        timbres, presets = (each.get(self._model, []) for each in (self._saved.timbre, self._saved.preset))
        here = str(self._folder)
        files = [Path(path).name for path in self._saved.file if str(Path(path).parent) == here]
        return {"timbre": sorted(timbres), "preset": sorted(presets), "file": sorted(files)}

    def mark(self, kind: Kind, name: str, on: bool) -> None:
        """Mark or unmark a favourite. Raises CmaudioError if that cannot be written."""
        self._saved = self._read()  # another panel may have changed it
        names = self._names(kind)
        listed = self._path(name) if kind == "file" else name
        if on == (listed in names):
            return
        if on and len(names) >= _MOST:
            raise CmaudioError(f"there are {_MOST} favourites, which is the limit; unmark some")
        names.append(listed) if on else names.remove(listed)
        self._write()

    def renamed(self, old: str, new: str | None) -> None:
        """A sound file was renamed; None: deleted."""
        if self._path(old) in self._saved.file:
            self.mark("file", old, False)
            if new is not None:
                self.mark("file", new, True)

    @property
    def hints_read(self) -> bool:
        """Whether the first hints were read."""
        return self._saved.hints_read

    def read_hints(self, read: bool = True) -> None:
        """Do not show the hints again. Raises CmaudioError if that cannot be written."""
        self._saved = self._read()
        self._saved.hints_read = read
        self._write()

    def _names(self, kind: Kind) -> list[str]:
        match kind:
            case "timbre":
                return self._saved.timbre.setdefault(self._model, [])
            case "preset":
                return self._saved.preset.setdefault(self._model, [])
        return self._saved.file

    def _path(self, name: str) -> str:
        return str(self._folder / name)

    def _read(self) -> _Choices:
        try:
            return load_json(choices_file(), _ADAPTER, "favourites") or _Choices()
        except CmaudioError as error:
            self._on_notice(str(error))
            return _Choices()

    def _write(self) -> None:
        save_json(choices_file(), _ADAPTER, self._saved, "favourites")
