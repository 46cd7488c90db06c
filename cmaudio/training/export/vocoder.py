"""Another vocoder for a model file: a smaller one, or one that was trained further on the same mel frames."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import yaml

from cmaudio.errors import CmaudioError
from cmaudio.files.place import as_place
from cmaudio.model.file import Model, load_model, save_model
from cmaudio.training.config import read_config
from cmaudio.training.corpus.description import read_description
from cmaudio.training.export.calibration import record_feeds
from cmaudio.training.export.card import stage_summary
from cmaudio.training.export.graphs import KEEP_FLOAT, export_vocoder, quantise
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.run.build_networks import make_vocoder_network
from cmaudio.training.run.folder import read_about
from cmaudio.training.run.weights import finished, read_statistics, start_from, weights_file

_SAME_STATISTICS = 1e-4
_HEADING = "## Vocoder"


def amend_vocoder(model: Model, output: Path, run: Path) -> Model:
    """Write a model file with the vocoder of a run, and tell its origin in the card; all else is unchanged.

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
            save_model(unquantised, model.manifest, graphs, "")
            feeds = record_feeds(load_model(unquantised))
        graphs["vocoder"] = quantise(graphs["vocoder"], feeds["vocoder"], KEEP_FLOAT["vocoder"])
    count = sum(parameter.numel() for parameter in vocoder.parameters())
    data = model.stored_data
    if data is not None:
        data = data.model_copy(update={"parameters": data.parameters | {"vocoder": count}})
    save_model(output, model.manifest, graphs, _card_with(model.card, run, count), data=data)
    return load_model(output)


def _card_with(card: str, run: Path, parameters: int) -> str:
    """A card with a section on the vocoder, before that on limits, instead of an earlier one."""
    config, about = read_config(run / "config.yaml"), read_about(run)
    description = read_description(as_place(about["corpus"]))
    train = description.splits["train"]
    done = [name for name in ("vocoder", "vocoder_tuning") if weights_file(run, name).is_file()]
    stages = "; ".join(stage_summary(config, name) for name in done)
    settings = config.model_dump(mode="json", include={"seed", "vocoder_network", "vocoder", "vocoder_tuning"})
    section = (
        f"{_HEADING}\n\nReplaced by another one after the training of the other networks: {stages}; on "
        f"{train.clips} clips, {train.seconds / 3600:.2f} h, of {description.name} ({description.licence}); commit "
        f"{about.get('commit') or 'not a checkout'}, torch {about['torch']}. {config.expected}".rstrip()
        + "\n\n"
        f"```yaml\n{yaml.safe_dump(settings, sort_keys=False)}```\n\n"
    )
    card = re.sub(r"^\| vocoder \|.*$", f"| vocoder | {parameters / 1e6:.2f} M parameters |", card, flags=re.MULTILINE)
    card = re.sub(rf"^{_HEADING}$.*?(?=^## |\Z)", "", card, flags=re.MULTILINE | re.DOTALL)
    before, limits, after = card.partition("## Limits\n")
    return before + section + limits + after


def _trained(run: Path) -> tuple[VocoderNetwork, Path]:
    config = read_config(run / "config.yaml")
    weights = finished(run, "vocoder")
    if weights is None or config.vocoder_network.kind == "bands":
        raise CmaudioError(f"{run} has no finished vocoder; re-run `cmaudio train` to resume")
    signal = read_description(as_place(read_about(run)["corpus"])).signal
    vocoder = make_vocoder_network(config, signal)
    start_from(weights, vocoder, [])
    return vocoder, weights
