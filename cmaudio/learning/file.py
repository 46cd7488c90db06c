"""A new model file that has learned timbres beside its own, with what its card and licence say of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import expanded
from cmaudio.model.file import SUFFIX, Model, load_model, save_model
from cmaudio.model.manifest import TimbreDefinition, with_timbre

OWN_LICENCE = "own sounds, licence not stated"
_HEADING = "## Learned timbres"
_MOST_LETTERS = 500


def check_output(path: str | Path) -> Path:
    """The path of a model file to write, before the work. Raises CmaudioError for another ending, or a folder."""
    found = expanded(path)
    if found.suffix != SUFFIX:
        raise CmaudioError(f"a model file ends in {SUFFIX}, not {found.suffix or 'nothing'!r}: {found.stem}{SUFFIX}")
    if not found.parent.is_dir():
        raise CmaudioError(f"no folder {found.parent}: make it, or write elsewhere")
    return found


def save_learned(
    model: Model, timbres: Sequence[TimbreDefinition], path: str | Path, licence: str = OWN_LICENCE
) -> Model:
    """Write a model file with some timbres more; the networks and the other timbres are those of `model`.

    Args:
        model: as it is in memory, or in its file.
        timbres: that were learned; those that the model has already are kept.
        path: ends in .cmaudio; a file that is there is replaced, and stays as it is if something goes wrong.
        licence: of the sounds that they were learned from.

    Raises:
        CmaudioError: a path that is no model file or cannot be written, a timbre that does not fit, no licence.
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
    graphs = {name: model.graph(name) for name in manifest.graphs}
    save_model(target, manifest, graphs, card, data=model.data, fast=True)
    return load_model(target)
