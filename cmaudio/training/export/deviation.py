"""How the pitch of timbres deviates, written into a model after training: its networks stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.model.deviation import PitchDeviation
from cmaudio.model.file import SUFFIX, Model, load_model, save_model
from cmaudio.model.manifest import Manifest
from cmaudio.training.corpus.description import read_description


def read_deviation(path: Path) -> dict[str, PitchDeviation]:
    """The deviations of a corpus's (folder) or model file's timbres by name, without those that are exact.

    Raises CmaudioError for a file or folder that is neither.
    """
    timbres = load_model(path).manifest.timbres if path.suffix == SUFFIX else read_description(path).timbres
    return {timbre.name: timbre.deviation for timbre in timbres if timbre.deviation}


def with_deviation(manifest: Manifest, deviation: Mapping[str, PitchDeviation]) -> Manifest:
    """The manifest with these deviations for the timbres of these names, and none for all others."""
    timbres = [t.model_copy(update={"deviation": deviation.get(t.name)}) for t in manifest.timbres]
    return manifest.model_copy(update={"timbres": timbres})


def amend_deviation(model: Model, output: Path, source: Path) -> Model:
    """Write a model file with the deviations of a corpus (folder) or another model file; all else stays.

    Raises CmaudioError where no timbre of the model is named there.
    """
    found = read_deviation(source)
    if not found.keys() & model.timbres.keys():
        raise CmaudioError(
            f"{source} has deviations for none of the timbres of {model.path.name}; give a corpus or model file that "
            "has, or run `cmaudio prepare` on the corpus again to measure them"
        )
    graphs = {name: model.graph(name) for name in model.manifest.graphs}
    save_model(output, with_deviation(model.manifest, found), graphs, model.card)
    return load_model(output)
