"""Runs one block of two voices through all graphs of a model, to find mismatches before it is played."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, load_model
from cmaudio.synthesis.graph import load_graph
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.trial import REFUSED

_VOICES = 2
_PHONEMES = 7
_MEMORY_BYTES = 3 * 2**30  # beyond what the process has after its imports
_LARGEST = 1e6  # far beyond normalised mel and filters


def rehearse(model: Model) -> None:
    """Synthesise two blocks.

    Raises:
        CmaudioError: names the graph whose output does not match the manifest, or is not finite.
    """
    synthesizer = Synthesizer(model, trusted=True)
    rng = np.random.default_rng(0)
    k, bands = synthesizer.block_frames, synthesizer.bands
    controls = np.zeros((_VOICES, k, synthesizer.features + bands), np.float32)
    timbre = np.zeros((_VOICES, k, model.manifest.timbre_dims), np.float32)
    state = synthesizer.init_state(controls, timbre)
    noise = rng.standard_normal((_VOICES, k, bands), dtype=np.float32)
    for _ in range(2):
        state = synthesizer.generate(state, controls, timbre, noise, noise[:, None])
        _check(model, "head", state.frames, (_VOICES, k, bands))
    filters, _ = synthesizer.filters(state, np.full((_VOICES, k), 220, np.float32))
    _check(model, "vocoder", filters, (_VOICES, k, 5 * model.stft.bins))
    if model.manifest.speech is not None:
        prosody = load_graph(model, "prosody")
        columns = int(prosody.shapes["ids"][-1])
        output = prosody(np.ones((1, _PHONEMES, columns), np.int64), timbre[:1, 0])[0]
        _check(model, "prosody", output, (1, _PHONEMES, output.shape[-1]))


def _check(model: Model, name: str, output: Any, shape: tuple[int, ...]) -> None:
    found = np.shape(output)
    if found != shape:
        raise CmaudioError(f"{model.path}: graph {name!r} gives {found}, not {shape}; export the model again")
    if not np.abs(output).max() <= _LARGEST:  # also where it is not a number
        raise CmaudioError(f"{model.path}: graph {name!r} gives numbers that are no sound; train the model again")


def main() -> None:
    """`python -m cmaudio.synthesis.rehearsal MODEL`: status 0, or REFUSED with the reason on standard output."""
    _limit_memory()
    try:
        rehearse(load_model(Path(sys.argv[1])))
    except CmaudioError as error:
        print(error)
        sys.exit(REFUSED)
    except (ValueError, IndexError, KeyError) as error:  # unexpected array shapes
        print(f"{sys.argv[1]}: its graphs do not fit together ({error}); export the model again")
        sys.exit(REFUSED)


def _limit_memory() -> None:
    """Limit the memory, where the system can (Linux)."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    limit = pages * resource.getpagesize() + _MEMORY_BYTES
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main()
