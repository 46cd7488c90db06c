"""A model with its networks in memory, for one engine or several that share them."""

from __future__ import annotations

from functools import cached_property

from cmaudio.checks import whole_number
from cmaudio.engine.voice_kinds import check_features
from cmaudio.model.file import Model, load_model
from cmaudio.speech.prosody import Prosody
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.renderer import Renderer


class LoadedModel:
    """The networks of a model. The voices of engines that share one can be batched into one evaluation.

    Args:
        model: a loaded model, an embedded model's name, or a model file.
        threads: see `Engine`.
        pipelined: see `Engine`.

    Raises:
        CmaudioError: a model that cannot be loaded, or whose graphs do not fit.
    """

    def __init__(self, model: Model | str, threads: int = 1, pipelined: bool = False) -> None:
        self.model = model if isinstance(model, Model) else load_model(model)
        self.renderer = Renderer(Synthesizer(self.model), whole_number("threads", threads, 1, 2), pipelined)
        check_features(self.renderer.synthesizer)

    @cached_property
    def prosody(self) -> Prosody:
        """Loaded when the first text is spoken. Raises CmaudioError for a model that is not a text-to-speech voice."""
        return Prosody(self.model)
