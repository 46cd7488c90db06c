"""Adding a learned timbre to an engine while it plays."""

from __future__ import annotations

from dataclasses import replace

from cmaudio.engine.engine import Engine
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.sources import sources_of


def add_timbre(engine: Engine, timbre: TimbreDefinition) -> None:
    """Add a timbre to the engine's model in memory, while others sound; the model file stays as it is.

    Raises CmaudioError for a name that the model has, and for a timbre that does not fit.
    """
    engine.model.add_timbre(timbre)
    engine.synthesizer.know_learned()
    allocator = engine.allocator  # voices that sound keep their settings, and know no other timbres
    allocator.settings = replace(allocator.settings, sources=sources_of(engine.model.manifest.timbres))
