"""Compiles the loops of the effects ahead of time.

`python -m cmaudio.effects.compiling` does so after an installation.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np

from cmaudio.effects.chorus import Chorus
from cmaudio.effects.convolution import Convolution
from cmaudio.effects.delay import Delay
from cmaudio.effects.reverb import Reverb

_KERNELS = ("reverb_kernel", "chorus_kernel", "delay_kernel", "convolution_kernel")
_TIMEOUT_SECONDS = 600


def are_compiled() -> bool:
    """Whether the cache holds all loops, and none is older than its source."""
    folder = Path(__file__).parent
    return all(_is_cached(folder / f"{name}.py") for name in _KERNELS)


def _is_cached(source: Path) -> bool:
    module = importlib.import_module(f"cmaudio.effects.{source.stem}")
    stats = [value.stats for value in vars(module).values() if hasattr(value, "stats")]
    folders = {Path(each.cache_path) for each in stats if getattr(each, "cache_path", None)}
    written = source.stat().st_mtime
    indexes = [file for folder in folders for file in folder.glob(f"{source.stem}.*.nbi")]
    return any(file.stat().st_mtime > written for file in indexes)


def compile_elsewhere() -> None:
    """Compile in another process, so that this one's threads do not wait for the interpreter lock.

    Failures are ignored, since this process can still compile what it needs.
    """
    try:
        subprocess.run(
            [sys.executable, "-m", "cmaudio.effects.compiling"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return


def load() -> None:
    """Load or compile all loops, on separate instances of the effects."""
    rate, sound, out = 8000, np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)
    Reverb(rate).process(sound, out)
    Chorus(rate).process(sound, out)
    Delay(rate).process(sound, out)
    convolution = Convolution(np.ones((9, 2), np.float32), rate, block=4)
    for _ in range(9):
        convolution.process(sound, out)


if __name__ == "__main__":
    load()
