"""The timbre map of a model file: positions derived from the sound of the timbres."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.saving import save_changed
from cmaudio.training.export.map_layout import map_places, sound_distances
from cmaudio.training.export.timbre_pictures import timbre_pictures

FEWEST = 4  # timbres, for a meaningful map
_PROGRAMS_OF_A_FAMILY = 8  # of General MIDI


def can_be_mapped(model: Model) -> bool:
    """Whether the model has a prior that predicts the sound of its notes."""
    manifest = model.manifest
    return manifest.prior and manifest.features.startswith("note") and len(manifest.timbres) >= FEWEST


def family_of(timbre: TimbreDefinition) -> Hashable:
    """The General MIDI family of a timbre, or "drums"; a timbre without a program is its own."""
    if timbre.key is not None:
        return "drums"
    return timbre.name if timbre.program is None else timbre.program // _PROGRAMS_OF_A_FAMILY


def amend_places(model: Model, output: Path) -> Model:
    """Write a model file with the map of its timbres; its graphs and card are unchanged, byte for byte.

    Raises CmaudioError for a model without a prior for notes, or with fewer than four timbres.
    """
    if not can_be_mapped(model):
        raise CmaudioError(
            f"{model.path} has no map: it takes a prior for notes, which predicts their sound, and at least "
            f"{FEWEST} timbres; export without --map"
        )
    timbres = model.manifest.timbres
    places = map_places(sound_distances(timbre_pictures(model)), [family_of(timbre) for timbre in timbres])
    placed = [
        timbre.model_copy(update={"place": (round(x, 4), round(y, 4))})
        for timbre, (x, y) in zip(timbres, places.tolist(), strict=True)
    ]
    return save_changed(model, output, manifest=model.manifest.model_copy(update={"timbres": placed}))
