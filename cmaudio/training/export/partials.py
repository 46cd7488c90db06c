"""Partials of timbres for a model that was trained without them: only what the vocoder filters changes.

Its networks still see harmonics (`picture` in the manifest), as they were trained to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.model.file import SUFFIX, Model, load_model, save_model
from cmaudio.model.manifest import Manifest
from cmaudio.model.partials import Partials
from cmaudio.training.corpus.description import read_description


def read_partials(path: Path) -> dict[str, Partials]:
    """The partials of a corpus's (folder) or model file's timbres by name, without the harmonic ones.

    Raises CmaudioError for a file or folder that is neither.
    """
    timbres = load_model(path).manifest.timbres if path.suffix == SUFFIX else read_description(path).timbres
    return {timbre.name: timbre.partials for timbre in timbres if timbre.partials}


def with_partials(manifest: Manifest, partials: Mapping[str, Partials]) -> Manifest:
    """The manifest with these partials for the timbres of these names, and harmonics for all others."""
    timbres = [t.model_copy(update={"partials": partials.get(t.name)}) for t in manifest.timbres]
    return manifest.model_copy(update={"timbres": timbres})


def amend_partials(model: Model, output: Path, partials: Mapping[str, Partials]) -> Model:
    """Write a model file with other partials; its graphs and card stay byte for byte."""
    graphs = {name: model.graph(name) for name in model.manifest.graphs}
    save_model(output, with_partials(model.manifest, partials), graphs, model.card)
    return load_model(output)


def amend_file(path: Path, output: Path, partials: Path) -> Model:
    """`amend_partials` for files: those of a corpus (folder) or another model file replace a model file's own.

    Raises CmaudioError for a file that is no model, and where no timbre of the model is named there.
    """
    model, found = load_model(path), read_partials(partials)
    if not found.keys() & model.timbres.keys():
        raise CmaudioError(
            f"{partials} has partials for none of the timbres of {path.name}; give a corpus or model file that has, "
            "or run `cmaudio prepare` on the corpus again to measure them"
        )
    return amend_partials(model, output, found)
