"""Versions that affect the audio: all machines of a cluster must have the same, or their shards would differ."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_TEXT = ("gruut", "kitten-text-processing", "ru-normalizr")
_PLAYING = ("cmaudio", "numpy", "onnxruntime", "soxr", "soundfile", *_TEXT)
_PREPARING = ("lhotse", "swift-f0", "tinysoundfont")


@cache
def versions(preparing: bool = True) -> dict[str, str]:
    """Versions by name, with a digest of cmaudio's own code, which may have been changed after it was installed.

    Args:
        preparing: also those of packages that only corpora are made with.
    """
    found = {name: _version(name) for name in (*_PLAYING, *(_PREPARING if preparing else ()))}
    python = ".".join(platform.python_version_tuple()[:2])
    return found | {"cmaudio's code": _code_digest(), "Python": python}


def differences(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """The differences in words; empty if there are none."""
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    return ", ".join(f"{name} {theirs.get(name, 'missing')} instead of {ours.get(name, 'none')}" for name in names)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _code_digest() -> str:
    folder = Path(str(resources.files("cmaudio")))
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
