"""Measurements of timbres in a model file: partials, deviation of pitch, motion and correction.

Partials can be added to a file that was trained without: this changes only what the vocoder filters. Its networks are
still conditioned on harmonics (`picture` in the manifest), as they were trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from cmaudio.errors import CmaudioError
from cmaudio.model.file import SUFFIX, Model, load_model
from cmaudio.model.manifest import Manifest
from cmaudio.model.saving import save_changed
from cmaudio.training.corpus.description import read_description

Entry = Literal["partials", "deviation", "motion", "correction"]
"""A kind of measurement of a timbre, in a corpus's description as in a manifest."""


def read_measured(path: Path, entry: Entry) -> dict[str, Any]:
    """The measurements of one kind in a corpus (folder) or model file, by timbre, without timbres that have none.

    Raises CmaudioError for a file or folder that is neither.
    """
    timbres = load_model(path).manifest.timbres if path.suffix == SUFFIX else read_description(path).timbres
    return {timbre.name: found for timbre in timbres if (found := getattr(timbre, entry))}


def with_measured(manifest: Manifest, entry: Entry, measured: Mapping[str, Any]) -> Manifest:
    """The manifest with these measurements for the named timbres, and none for all others."""
    timbres = [timbre.model_copy(update={entry: measured.get(timbre.name)}) for timbre in manifest.timbres]
    return manifest.model_copy(update={"timbres": timbres})


def amend(model: Model, output: Path, entry: Entry, measured: Mapping[str, Any]) -> Model:
    """Write a model file with other measurements; its graphs and card are unchanged, byte for byte."""
    return save_changed(model, output, manifest=with_measured(model.manifest, entry, measured))


def amend_from(model: Model, output: Path, entry: Entry, source: Path) -> Model:
    """`amend` with the measurements of a corpus (folder) or another model file.

    Raises CmaudioError for a source that is neither, and if it names no timbre of the model.
    """
    found = read_measured(source, entry)
    if not found.keys() & model.timbres.keys():
        raise CmaudioError(
            f"{source} has no {entry} for any timbre of {model.path.name}; give a corpus or model file that has, or "
            "run `cmaudio prepare` on the corpus again to measure them"
        )
    return amend(model, output, entry, found)
