"""Another vocoder for a model file: a smaller one, or one that was trained further on the same mel frames."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cmaudio.errors import CmaudioError
from cmaudio.files.place import as_place
from cmaudio.model.file import Model
from cmaudio.model.saving import save_changed
from cmaudio.training.config import RunConfig, read_config
from cmaudio.training.corpus.description import CorpusDescription, read_description
from cmaudio.training.export.card import stage_summary
from cmaudio.training.export.eight_bit import in_8_bit, round_to_half_precision
from cmaudio.training.export.graphs import export_vocoder
from cmaudio.training.run.build_networks import make_vocoder_network
from cmaudio.training.run.folder import read_about
from cmaudio.training.run.weights import finished, read_statistics, start_from, weights_file

_SAME_STATISTICS = 1e-4
_HEADING = "## Vocoder"


def amend_vocoder(model: Model, output: Path, run: Path) -> Model:
    """Write a model file with the vocoder of a run, and tell its origin in the card; all else is unchanged.

    Raises CmaudioError for a run without a finished vocoder, or whose mel frames are not those of the model.
    """
    config, about = read_config(run / "config.yaml"), read_about(run)
    description = read_description(as_place(about["corpus"]))
    weights = finished(run, "vocoder")
    if weights is None or config.vocoder_network.kind == "bands":
        raise CmaudioError(f"{run} has no finished vocoder; re-run `cmaudio train` to resume")
    vocoder = make_vocoder_network(config, description.signal)
    start_from(weights, vocoder, [])
    mel, trained = model.manifest.mel, read_statistics(weights)
    same = (
        np.allclose(own, other.numpy(), atol=_SAME_STATISTICS)
        for own, other in ((mel.mean, trained.mean), (mel.std, trained.std))
        if len(own) == len(other)
    )
    if [*same] != [True, True]:
        raise CmaudioError(
            f"{run}: the mel frames of its vocoder are not normalised like those of {model.path.name}; train it "
            "with start_from or distil.weights set to that model"
        )
    if model.manifest.weights == "int8":
        round_to_half_precision(vocoder)
    graphs = {name: model.graph(name) for name in model.manifest.graphs}
    graphs["vocoder"] = export_vocoder(vocoder.eval(), model.manifest.block_frames, mel.bands)
    if model.manifest.weights == "int8":
        graphs |= in_8_bit(model.manifest, graphs, ["vocoder"], model.corrections)
    count = sum(parameter.numel() for parameter in vocoder.parameters())
    data = model.stored_data
    if data is not None:
        data = data.model_copy(update={"parameters": data.parameters | {"vocoder": count}})
    card = _with_section(model.card, _section(run, config, about, description), count)
    return save_changed(model, output, graphs=graphs, card=card, data=data)


def _section(run: Path, config: RunConfig, about: Mapping[str, Any], description: CorpusDescription) -> str:
    """The section of a card on how the vocoder was trained."""
    train = description.splits["train"]
    done = [name for name in ("vocoder", "vocoder_tuning") if weights_file(run, name).is_file()]
    stages = "; ".join(stage_summary(config, name) for name in done)
    settings = config.model_dump(mode="json", include={"seed", "vocoder_network", "vocoder", "vocoder_tuning"})
    origin = (
        f"Replaced by another one after the training of the other networks: {stages}; on {train.clips} clips, "
        f"{train.seconds / 3600:.2f} h, of {description.name} ({description.licence}); commit "
        f"{about.get('commit') or 'not a checkout'}, torch {about['torch']}. {config.expected}"
    )
    return f"{_HEADING}\n\n{origin.rstrip()}\n\n```yaml\n{yaml.safe_dump(settings, sort_keys=False)}```\n\n"


def _with_section(card: str, section: str, parameters: int) -> str:
    """A card with the section before that on limits, instead of an earlier one."""
    card = re.sub(r"^\| vocoder \|.*$", f"| vocoder | {parameters / 1e6:.2f} M parameters |", card, flags=re.MULTILINE)
    card = re.sub(rf"^{_HEADING}$.*?(?=^## |\Z)", "", card, flags=re.MULTILINE | re.DOTALL)
    before, limits, after = card.partition("## Limits\n")
    return before + section + limits + after
