"""Adding a learned timbre to an engine while it plays."""

from __future__ import annotations

from cmaudio.engine.engine import Engine
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.params import VoiceSettings


def add_timbre(engine: Engine, timbre: TimbreDefinition) -> None:
    """Add a timbre to the engine's model in memory while others sound; the model file is not changed.

    Raises CmaudioError for a name that the model already has, and for a timbre that does not fit.
    """
    engine.model.add_timbre(timbre)
    engine.synthesizer.update_timbres()
    settings = engine.allocator.settings  # sounding voices keep these, without the new timbre
    engine.allocator.settings = VoiceSettings.of_model(engine.model, settings.ahead_samples, settings.channels)
