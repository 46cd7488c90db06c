"""Convert the weights of silero-stress's accentor to a file that NumPy alone can run.

    pip install silero-stress          (installs torch; use a separate environment)
    python scripts/convert_silero_stress.py cmaudio/speech/data/russian_stress.npz

silero-stress 1.5, MIT licence, (c) 2020-present Silero Team. Its homograph network (38 MB) is omitted; the list of
homographs, with their two readings, is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def text(lines: list[str]) -> np.ndarray:
    """Lines as the bytes of a UTF-8 text."""
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def main(output: Path) -> None:
    from silero_stress import load_accentor

    loaded = load_accentor("ru")
    accentor, model = loaded.accentor, loaded.accentor.model
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    table = weights["embedding.weight"]
    scale, lowest = float(model.scale), float(table.min())
    grams = model.embedding.ngram_dict
    arrays = {
        "table": np.round((table - lowest) / scale).astype(np.uint8),
        "scale": np.float32(scale),
        "lowest": np.float32(lowest),
        "ngrams": text(sorted(grams, key=grams.__getitem__)),
        "known": text([f"{word} {at} {yo}" for word, (at, yo) in accentor.exceptions.items()]),
        "homographs": text([" ".join([word, *both]) for word, both in loaded.homosolver.homodict.items()]),
    }
    for head in ("stress", "yo"):
        for layer in (0, 2, 4, 6):
            for part in ("weight", "bias"):
                arrays[f"{head}.{layer}.{part}"] = weights[f"{head}_clf.{layer}.{part}"]
    np.savez_compressed(output, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
