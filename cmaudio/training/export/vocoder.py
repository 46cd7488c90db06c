"""Another vocoder for a model file: a smaller one, or one that was trained further on the same mel frames."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.files.place import as_place
from cmaudio.model.file import Model, load_model, save_model
from cmaudio.training.config import read_config
from cmaudio.training.corpus.description import read_description
from cmaudio.training.export.calibration import record_feeds
from cmaudio.training.export.graphs import KEEP_FLOAT, export_vocoder, quantise
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.run.build_networks import make_vocoder_network
from cmaudio.training.run.folder import read_about
from cmaudio.training.run.weights import finished, read_statistics, start_from

_SAME_STATISTICS = 1e-4


def amend_vocoder(model: Model, output: Path, run: Path) -> Model:
    """Write a model file with the vocoder of a run; all else is unchanged.

    Raises CmaudioError for a run without a finished vocoder, or whose mel frames are not those of the model.
    """
    vocoder, weights = _trained(run)
    mel, trained = model.manifest.mel, read_statistics(weights)
    same = (
        np.allclose(own, other.numpy(), atol=_SAME_STATISTICS)
        for own, other in ((mel.mean, trained.mean), (mel.std, trained.std))
        if len(own) == len(other)
    )
    if [*same] != [True, True]:
        raise CmaudioError(
            f"{run}: the mel frames of its vocoder are normalised otherwise than those of {model.path.name}; train it "
            "with start_from or distil.weights set to that model"
        )
    if model.manifest.weights == "int8":
        for parameter in vocoder.parameters():
            parameter.data = parameter.data.half().float()
    graphs = {name: model.graph(name) for name in model.manifest.graphs}
    graphs["vocoder"] = export_vocoder(vocoder.eval(), model.manifest.block_frames, mel.bands)
    if model.manifest.weights == "int8":
        with tempfile.TemporaryDirectory() as scratch:
            unquantised = Path(scratch) / "float.cmaudio"
            save_model(unquantised, model.manifest, graphs, model.card)
            feeds = record_feeds(load_model(unquantised))
        graphs["vocoder"] = quantise(graphs["vocoder"], feeds["vocoder"], KEEP_FLOAT["vocoder"])
    save_model(output, model.manifest, graphs, model.card, data=model.stored_data)
    return load_model(output)


def _trained(run: Path) -> tuple[VocoderNetwork, Path]:
    config = read_config(run / "config.yaml")
    weights = finished(run, "vocoder")
    if weights is None or config.vocoder_network.kind == "bands":
        raise CmaudioError(f"{run} has no finished vocoder; re-run `cmaudio train` to resume")
    signal = read_description(as_place(read_about(run)["corpus"])).signal
    vocoder = make_vocoder_network(config, signal)
    start_from(weights, vocoder, [])
    return vocoder, weights
