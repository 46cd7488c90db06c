"""The served models, and the names by which clients select them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.errors import CmaudioError, unknown
from cmaudio.serve.failure import Failure

# Names of OpenAI's models: the first voice that is served, in two steps for "hd".
_MODEL_ALIASES: Mapping[str, int] = {"tts-1": 1, "tts-1-hd": 2, "gpt-4o-mini-tts": 1}
_VOICE_ALIASES = frozenset("alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse default".split())


@dataclass(frozen=True)
class ChosenVoice:
    """A model, one of its timbres (None for the default), the steps, and whether the timbre replaces another."""

    loaded: LoadedModel
    timbre: str | None
    steps: int
    replaced: bool = False


class ServedModels:
    """Networks by the name of their model.

    Args:
        models: names or files.

    Raises:
        CmaudioError: a model that cannot be loaded, two of one name, or none.
    """

    def __init__(self, models: Sequence[str]) -> None:
        if not models:
            raise CmaudioError("a server needs a model to serve; give at least one, such as english")
        self.by_name: dict[str, LoadedModel] = {}
        for each in models:
            loaded = LoadedModel(each)
            name = loaded.model.manifest.name
            if name in self.by_name:
                raise CmaudioError(f"two models are called {name!r}; serve one of them, or rename the other")
            self.by_name[name] = loaded

    @property
    def speaking(self) -> list[LoadedModel]:
        """The text-to-speech models."""
        return [loaded for loaded in self.by_name.values() if loaded.model.manifest.speech is not None]

    def voice(self, model: str, voice: str | None) -> ChosenVoice:
        """The voice for a request. Raises Failure for an unknown one."""
        loaded, steps = self._speaking(model)
        if voice is None or (voice.lower() in _VOICE_ALIASES and voice not in loaded.model.timbres):
            return ChosenVoice(loaded, None, steps, replaced=voice not in (None, "default"))
        try:
            return ChosenVoice(loaded, loaded.model.timbre_name(voice), steps)
        except CmaudioError as error:
            raise Failure(400, str(error), "voice_not_found", "voice") from error

    def _speaking(self, model: str) -> tuple[LoadedModel, int]:
        if model in _MODEL_ALIASES and model not in self.by_name and self.speaking:
            return self.speaking[0], _MODEL_ALIASES[model]
        if model not in self.by_name:
            raise Failure(404, unknown("model", model, self.by_name), "model_not_found", "model")
        loaded = self.by_name[model]
        if loaded.model.manifest.speech is None:
            names = ", ".join(each.model.manifest.name for each in self.speaking) or "none is served"
            raise Failure(
                400, f"model {model!r} plays notes and reads no text; voices: {names}", "model_not_found", "model"
            )
        return loaded, 1

    def listed(self) -> list[dict[str, Any]]:
        """The models, as OpenAI's API lists them."""
        return [{"id": name, "object": "model", "created": 0, "owned_by": "cmaudio"} for name in self.by_name]

    def voices(self) -> list[dict[str, Any]]:
        """The voices of all text-to-speech models."""
        found = []
        for loaded in self.speaking:
            manifest = loaded.model.manifest
            assert manifest.speech is not None
            for name in loaded.model.timbres:
                is_default = name == manifest.default_timbre
                language = manifest.speech.language
                found.append({"id": name, "model": manifest.name, "language": language, "default": is_default})
        return found
