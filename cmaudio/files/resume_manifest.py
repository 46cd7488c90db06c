"""The resume manifest: the arguments of the run that fills a folder; only the same arguments resume it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place, whole_file
from cmaudio.files.reading import is_file, is_folder, read_json, reason

FILE_NAME = "plan.json"


def start_or_resume(folder: Place, arguments: Mapping[str, Any], subfolders: Iterable[str]) -> None:
    """Write the arguments (JSON-serialisable) to a new or empty folder, with subfolders, or compare them with the old.

    Raises CmaudioError if they differ (naming the differences), or if the folder holds something
    else or cannot be written.
    """
    path = folder / FILE_NAME
    if is_file(path):
        earlier = read_json(path, "resume manifest", "use a new folder")
        different = [key for key in {**earlier, **arguments} if earlier.get(key) != arguments.get(key)]
        if different:
            rows = ", ".join(f"{key}: {earlier.get(key)!r}, now {arguments.get(key)!r}" for key in different)
            raise CmaudioError(
                f"{folder} holds a corpus that was begun with other settings or other files ({rows}); "
                "use the same ones to resume, or another folder"
            )
    elif is_folder(folder) and (not isinstance(folder, Path) or any(folder.iterdir())):
        raise CmaudioError(f"{folder} is not empty and holds no corpus; use a new folder")
    try:
        if isinstance(folder, Path):  # object storage has no empty folders
            for name in subfolders:
                (folder / name).mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(json.dumps(arguments, indent=1, ensure_ascii=False), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CmaudioError(f"corpus folder {folder} cannot be written ({reason(error)})") from error
