"""Learning a timbre on an instrument that plays: nothing changes until the timbre is complete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cmaudio.engine.adding import add_timbre
from cmaudio.instrument.live_engine import LiveEngine
from cmaudio.learning.example import Kind
from cmaudio.learning.file import OWN_LICENCE, check_output, save_learned
from cmaudio.learning.learn import LearnedTimbre, learn_timbre
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import TimbreDefinition, with_timbre


def learn_live(
    instrument: LiveEngine,
    paths: str | Path | Iterable[str | Path],
    name: str | None = None,
    kind: Kind = "auto",
    save: str | Path | None = None,
    licence: str | None = None,
) -> LearnedTimbre:
    """Learn a timbre, add it to the instrument's model in memory, write it if asked to, and choose it.

    Raises CmaudioError as `learn_timbre` and `save_learned` do; then nothing changes.
    """
    if save is not None:
        check_output(save)
    model, engine = instrument.model, instrument.engine
    snapshot = replace(model)  # other threads may add timbres meanwhile
    learned = learn_timbre(snapshot, paths, name=name, kind=kind, synthesizer=engine.synthesizer.with_model(snapshot))
    if save is not None:
        grown = replace(model, manifest=with_timbre(model.manifest, learned.timbre))
        save_learned(grown, _new_timbres(grown), save, licence or OWN_LICENCE)
    add_timbre(engine, learned.timbre)
    instrument.controls.know_timbres()
    instrument.controls.set_timbre(learned.timbre.name)
    return learned


def _new_timbres(model: Model) -> list[TimbreDefinition]:
    """Those that the model's file lacks."""
    kept = load_model(model.path).timbres
    return [timbre for timbre in model.manifest.timbres if timbre.name not in kept]
