"""Tries out a model file in a separate process, with limits on memory and time, before it is first played.

A graph of allowed operators can still need more memory than there is, or hold numbers that give no sound. Embedded
models, and files written by this process, need no trial; others are tried once and remembered by their checksums.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, embedded_models
from cmaudio.model.saving import is_own

_TIME_SECONDS = 60.0
REFUSED = 3  # exit status of a rehearsal that found and reported a fault


def try_out(model: Model) -> None:
    """Try a model that has not been tried yet.

    Raises:
        CmaudioError: the model needs too much memory or time, does not fit together, or makes no finite sound.
    """
    if is_own(model) or model.path.resolve() in {path.resolve() for path in embedded_models().values()}:
        return
    marker = _marker(model)
    if marker.is_file():
        return
    command = [sys.executable, "-m", "cmaudio.synthesis.rehearsal", str(model.path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIME_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CmaudioError(
            f"{model.path}: one block took more than {_TIME_SECONDS:.0f} s; no machine plays this model"
        ) from None
    if done.returncode == REFUSED:
        raise CmaudioError(done.stdout.strip())
    if done.returncode:
        raise CmaudioError(
            f"{model.path} cannot be played: a trial ended with status {done.returncode}, most likely for lack of "
            "memory; export the model again"
        )
    with suppress(OSError):  # a cache that cannot be written only costs another trial
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def _marker(model: Model) -> Path:
    content = model.manifest.model_dump_json()
    return platformdirs.user_cache_path("cmaudio") / "tried" / hashlib.sha256(content.encode()).hexdigest()
