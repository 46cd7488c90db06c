"""Tries a model file out in a process of its own, with limits on memory and time, before it is first played.

A graph of allowed operators can still ask for more memory than there is, or hold numbers that give no sound. Embedded
models, and files that this process wrote, need no trial; others are tried once and remembered by their checksums.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, embedded_models, is_own

_MEMORY_BYTES = 3 * 2**30  # beyond what the process has after its imports
_TIME_SECONDS = 60.0
_REFUSED = 3  # exit status of a trial that found something wrong and said it


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
    command = [sys.executable, "-c", "from cmaudio.synthesis.trial import main; main()", str(model.path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIME_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CmaudioError(
            f"{model.path}: one block took more than {_TIME_SECONDS:.0f} s; no machine plays this model"
        ) from None
    if done.returncode == _REFUSED:
        raise CmaudioError(done.stderr.strip())
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


def main() -> None:
    """The trial itself, in its own process."""
    from cmaudio.model.file import load_model
    from cmaudio.synthesis.rehearsal import rehearse  # which imports this module

    _limit_memory()
    try:
        rehearse(load_model(Path(sys.argv[1])))
    except CmaudioError as error:
        print(error, file=sys.stderr)
        sys.exit(_REFUSED)


def _limit_memory() -> None:
    """As far as the system can: not on Windows."""
    try:
        import resource
    except ImportError:
        return
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
