"""A table of recordings (CSV): the timbre, kind, licence and author of every file or pattern of files.

Columns: `timbre`; `kind`, "bed" (endless), "rhythm" (endless, repeating) or "one-shot"; `file`, a path or pattern below
the folder of the sounds; `licence`; `author`.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import read_file

SoundKind = Literal["bed", "rhythm", "one-shot"]
KINDS: tuple[str, ...] = get_args(SoundKind)
COLUMNS = ("timbre", "kind", "file", "licence", "author")
_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Listed:
    """A sound file of a table; `file` is its path below the folder of the sounds."""

    timbre: str
    kind: str
    file: str
    licence: str
    author: str

    @property
    def steady(self) -> bool:
        return self.kind != "one-shot"


def read_table(path: Path, folder: Path) -> list[Listed]:
    """The files of a table, patterns resolved, in the order of the table.

    Raises CmaudioError if columns or values are missing, a kind is unknown or differs within a timbre, a pattern
    matches nothing, or a file is listed twice.
    """
    try:
        text = read_file(path, "table of recordings", _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CmaudioError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    rows = csv.DictReader(io.StringIO(text))
    if set(rows.fieldnames or ()) != set(COLUMNS):
        raise CmaudioError(f"{path}: its columns must be {', '.join(COLUMNS)}, not {', '.join(rows.fieldnames or ())}")
    found: list[Listed] = []
    for number, row in enumerate(rows, start=2):
        found += _files(f"{path}, line {number}", row, folder)
    if not found:
        raise CmaudioError(f"{path} lists no recordings")
    _check(path, found)
    return found


def _files(where: str, row: dict[str, str], folder: Path) -> list[Listed]:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    missing = [name for name, value in values.items() if not value]
    if missing or None in row:
        raise CmaudioError(f"{where}: {', '.join(missing) or 'too many values'}; give one value for each column")
    if values["kind"] not in KINDS:
        raise CmaudioError(f"{where}: kind {values['kind']!r} is not one of {', '.join(KINDS)}")
    pattern = values.pop("file")
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise CmaudioError(f"{where}: {pattern!r} must lie below the folder of the sounds")
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file())
    if not paths:
        raise CmaudioError(f"{where}: no file {pattern} in {folder}")
    return [Listed(file=name, **values) for name in paths]


def _check(path: Path, listed: list[Listed]) -> None:
    kinds: dict[str, str] = {}
    files: set[str] = set()
    for sound in listed:
        if kinds.setdefault(sound.timbre, sound.kind) != sound.kind:
            raise CmaudioError(f"{path}: timbre {sound.timbre!r} is both {kinds[sound.timbre]} and {sound.kind}")
        if sound.file in files:
            raise CmaudioError(f"{path} lists {sound.file} twice")
        files.add(sound.file)
