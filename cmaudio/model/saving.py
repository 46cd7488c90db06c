"""Writes model files (`cmaudio.model.file` reads them)."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.model.card_data import MEMBER as CARD_DATA
from cmaudio.model.card_data import CardData
from cmaudio.model.correction import MEMBER as CORRECTIONS
from cmaudio.model.correction import encoded
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import Manifest

_written: set[str] = set()  # manifests of the models that this process wrote


def is_own(model: Model) -> bool:
    """Whether this process wrote the model's file in its present state."""
    return json.dumps(dict(model.manifest.sha256)) in _written


def save_model(
    path: Path,
    manifest: Manifest,
    graphs: Mapping[str, bytes],
    card: str,
    *,
    corrections: NDArray[np.int8] | None = None,
    data: CardData | None = None,
    fast: bool = False,
) -> None:
    """Write a model file atomically; checksums are computed here.

    Args:
        path: an existing file is replaced.
        manifest: of the model.
        graphs: the bytes of the ONNX graphs that the manifest names.
        card: its text.
        corrections: rows of the timbres' tables; needed if the manifest says that a timbre has one.
        data: the card for programs; without it they read the text.
        fast: makes the file some 5 % larger, and takes an eighth of the time.

    Raises CmaudioError if the file cannot be written, ValueError for corrections without timbres or the reverse.
    """
    content = {f"{name}.onnx": graphs[name] for name in manifest.graphs} | {"card.md": card.encode()}
    if data is not None:
        content[CARD_DATA] = data.model_dump_json(indent=1).encode()
    if any(timbre.correction for timbre in manifest.timbres) != (corrections is not None):
        raise ValueError("corrections go together with timbres that have one")
    if corrections is not None:
        content[CORRECTIONS] = encoded(corrections)
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    fields = manifest.model_copy(update={"sha256": sums}).model_dump(mode="json")
    try:
        with atomic_file(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, stored in {"manifest.json": json.dumps(fields, indent=1).encode(), **content}.items():
                member = zipfile.ZipInfo(name)  # a fixed date: the same content gives the same file
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, stored, compresslevel=1 if fast else 9)
    except OSError as error:
        raise CmaudioError(
            f"{path} cannot be written ({error.strerror}); free some space or write elsewhere"
        ) from error
    _written.add(json.dumps(sums))


def save_changed(
    model: Model,
    path: Path,
    *,
    manifest: Manifest | None = None,
    graphs: Mapping[str, bytes] | None = None,
    card: str | None = None,
    corrections: NDArray[np.int8] | None = None,
    data: CardData | None = None,
    fast: bool = False,
) -> Model:
    """Write a model file with what is given in place of the model's own, byte for byte the same elsewhere; load it."""
    manifest, graphs = manifest or model.manifest, graphs or {}
    save_model(
        path,
        manifest,
        {name: graphs[name] if name in graphs else model.graph(name) for name in manifest.graphs},
        model.card if card is None else card,
        corrections=model.corrections if corrections is None else corrections,
        data=data or model.stored_data,
        fast=fast,
    )
    return load_model(path)
