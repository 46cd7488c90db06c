"""An example piece: the first demo for the instrument's model."""

from __future__ import annotations

from cmaudio.demos import DEMOS
from cmaudio.demos.piece import Demo
from cmaudio.errors import CmaudioError
from cmaudio.synth import Synth


def example_for(model: str) -> Demo | None:
    """The first demo that a model of this name plays; None if there is none."""
    return next((demo for demo in DEMOS.values() if demo.model == model), None)


def play_example(synth: Synth) -> str:
    """Start it, instead of what sounds; returns its title. Raises CmaudioError if the model has none."""
    model = synth.model.manifest.name
    demo = example_for(model)
    if demo is None:
        raise CmaudioError(f"there is no example for the model {model!r}; play something yourself")
    synth.panic()
    demo.play(synth)
    synth.wake()
    return demo.title
