"""Graphs of a model in 8 bit, calibrated by playing them in float."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cmaudio.model.file import load_model
from cmaudio.model.manifest import Manifest
from cmaudio.model.saving import save_model
from cmaudio.training.export.calibration import record_feeds
from cmaudio.training.export.graphs import KEEP_FLOAT, quantise


def round_to_half_precision(network: nn.Module) -> None:
    """Round all weights: those that stay in float then compress better, which makes a file a fifth smaller."""
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()


def in_8_bit(
    manifest: Manifest,
    graphs: Mapping[str, bytes],
    names: Iterable[str],
    corrections: NDArray[np.int8] | None = None,
) -> dict[str, bytes]:
    """The named ones of a model's graphs, quantised to the ranges of the activations while the model plays.

    `corrections` are the rows of its timbres' tables, if they have any.
    """
    with tempfile.TemporaryDirectory() as scratch:
        before = Path(scratch) / "float.cmaudio"
        save_model(before, manifest, graphs, "", corrections=corrections)
        feeds = record_feeds(load_model(before))
    return {name: quantise(graphs[name], feeds[name], KEEP_FLOAT[name]) for name in names}
