"""Adding a learned timbre to an engine while it plays."""

from __future__ import annotations

from dataclasses import replace

from cmaudio.engine.engine import Engine
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.sources import sources_of
from cmaudio.synthesis.timbre_deviations import deviations_of


def add_timbre(engine: Engine, timbre: TimbreDefinition) -> None:
    """Add a timbre to the engine's model in memory while others sound; the model file is not changed.

    Raises CmaudioError for a name that the model already has, and for a timbre that does not fit.
    """
    engine.model.add_timbre(timbre)
    engine.synthesizer.know_learned()
    allocator = engine.allocator  # sounding voices keep their settings, without the new timbre
    timbres = engine.model.manifest.timbres
    allocator.settings = replace(allocator.settings, sources=sources_of(timbres), deviations=deviations_of(timbres))
