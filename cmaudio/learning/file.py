"""A new model file with learned timbres beside its own, and their entries in card and licence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import expanded
from cmaudio.model.file import SUFFIX, Model
from cmaudio.model.manifest import TimbreDefinition, with_timbre
from cmaudio.model.saving import save_changed

OWN_LICENCE = "own sounds, licence not stated"
_HEADING = "## Learned timbres"
_MOST_LETTERS = 500


def check_output(path: str | Path) -> Path:
    """Validate the path of a model file before the work. Raises CmaudioError for another extension or a folder."""
    found = expanded(path)
    if found.suffix != SUFFIX:
        raise CmaudioError(f"a model file ends in {SUFFIX}, not {found.suffix or 'nothing'!r}: {found.stem}{SUFFIX}")
    if not found.parent.is_dir():
        raise CmaudioError(f"no folder {found.parent}: make it, or write elsewhere")
    return found


def save_learned(
    model: Model, timbres: Sequence[TimbreDefinition], path: str | Path, licence: str = OWN_LICENCE
) -> Model:
    """Write a model file with additional timbres; the networks and the other timbres are those of `model`.

    Args:
        model: as in memory, or as in its file.
        timbres: learned timbres; those that the model already has are kept.
        path: ends in .cmaudio; an existing file is replaced, and kept if something goes wrong.
        licence: of the sounds from which they were learned.

    Raises:
        CmaudioError: a path that is not a model file or cannot be written, a timbre that does not fit, no licence.
    """
    target = check_output(path)
    licence = " ".join(licence.split())
    if not licence or len(licence) > _MOST_LETTERS:
        raise CmaudioError(f"a licence has 1 to {_MOST_LETTERS} letters: say whose the sounds are, e.g. 'CC0-1.0'")
    manifest = model.manifest
    known = {timbre.name for timbre in manifest.timbres}
    for timbre in timbres:
        if timbre.name not in known:
            manifest = with_timbre(manifest, timbre)
    names = ", ".join(timbre.name for timbre in timbres)
    manifest = manifest.model_copy(update={"licence": f"{manifest.licence}; {names}: {licence}"})
    lines = "".join(f"* {timbre.name}: {licence}\n" for timbre in timbres)
    card = model.card.rstrip() + "\n\n"
    card += lines if _HEADING in card else f"{_HEADING}\n\nLevel and colour are those of the examples.\n\n{lines}"
    return save_changed(model, target, manifest=manifest, card=card, data=model.data, fast=True)
