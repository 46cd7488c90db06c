"""The resume manifest: what a folder is being filled with, so that only a run with the same arguments resumes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file

FILE_NAME = "plan.json"


def agree_on_plan(folder: Path, plan: Mapping[str, Any], inside: Iterable[str]) -> None:
    """Write the plan (what JSON can hold) into a new or empty folder, with the folders `inside`, or compare with it.

    Raises CmaudioError that names what differs from the earlier plan, for a folder of something else, and for one that
    cannot be written.
    """
    path = folder / FILE_NAME
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        different = [key for key in {**earlier, **plan} if earlier.get(key) != plan.get(key)]
        if different:
            rows = ", ".join(f"{key}: {earlier.get(key)!r}, now {plan.get(key)!r}" for key in different)
            raise CmaudioError(
                f"{folder} holds a corpus that was begun with other settings or other files ({rows}); "
                "give the same ones to go on, or another folder"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise CmaudioError(f"{folder} is not empty and holds no corpus; give a new folder")
    try:
        for name in inside:
            (folder / name).mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as part:
            part.write_text(json.dumps(plan, indent=1, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise CmaudioError(f"corpus folder {folder} cannot be written ({error.strerror})") from error
