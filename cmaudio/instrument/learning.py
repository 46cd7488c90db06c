"""Learning a timbre while the instrument plays: nothing changes until the timbre is complete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cmaudio.engine.engine import Engine
from cmaudio.instrument.live_engine import LiveEngine
from cmaudio.learning.example import Kind
from cmaudio.learning.file import OWN_LICENCE, check_output, save_learned
from cmaudio.learning.learn import LearnedTimbre, learn_timbre
from cmaudio.model.file import Model, load_model
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


def learn_live(
    instrument: LiveEngine,
    paths: str | Path | Iterable[str | Path],
    name: str | None = None,
    kind: Kind = "auto",
    minutes: float = 0.0,
    save: str | Path | None = None,
    licence: str | None = None,
) -> LearnedTimbre:
    """Learn a timbre, add it to the instrument's model in memory, write it if requested, and select it.

    Raises CmaudioError as `learn_timbre` and `save_learned` do; then nothing changes.
    """
    if save is not None:
        check_output(save)
    model, engine = instrument.model, instrument.engine
    snapshot = replace(model)  # other threads may add timbres in the meantime
    networks = engine.synthesizer.with_model(snapshot)
    learned = learn_timbre(snapshot, paths, name=name, kind=kind, minutes=minutes, synthesizer=networks)
    if save is not None:
        model.path = _saved(model, learned.timbre, save, licence or OWN_LICENCE)
    add_timbre(engine, learned.timbre)
    instrument.controls.update_timbres()
    instrument.controls.set_timbre(learned.timbre.name)
    return learned


def _saved(model: Model, timbre: TimbreDefinition, path: str | Path, licence: str) -> Path:
    """Write a file with all timbres of a model in memory and one more; the instrument's model then reads that file."""
    stored = load_model(model.path)
    timbres = [one for one in (*model.manifest.timbres, timbre) if one.name not in stored.timbres]
    return save_learned(stored, timbres, path, licence).path
