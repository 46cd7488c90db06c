"""Measure the loudness of a model's timbres and drums, as `level_presets.py` does, and print it by family.

Each timbre plays a low and a middle key, each drum its own key. Outliers are named: General MIDI does not specify the
balance of its sounds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from level_presets import loudest_db, notes_of

from cmaudio.model.file import load_model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.score.general_midi import family
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.renderer import Renderer

KEYS = (48, 64)
HELD_SECONDS = 0.8
FAR_DB = 10.0  # an outlier differs that much from the median of all timbres, or of the drums


def family_of(timbre: TimbreDefinition) -> str:
    """The family of a timbre, "drums" or "others"."""
    if timbre.key is not None:
        return "drums"
    return "others" if timbre.program is None else family(timbre.program)


def levels_db(timbres: Sequence[TimbreDefinition], renderer: Renderer) -> np.ndarray:
    """(N,) dB, the power of each timbre's keys averaged."""
    levels = []
    for timbre in timbres:
        keys = KEYS if timbre.key is None else (timbre.key,)
        notes = notes_of(renderer, timbre.name, keys, HELD_SECONDS)
        powers = [10 ** (loudest_db(note, renderer.sample_rate) / 10) for note in notes]
        levels.append(10 * np.log10(np.mean(powers)))
    return np.array(levels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="instrument", help="a model's name or file")
    model = load_model(parser.parse_args().model)
    timbres = model.manifest.timbres
    levels = levels_db(timbres, Renderer(Synthesizer(model)))
    families = np.array([family_of(timbre) for timbre in timbres])
    middle = {True: np.median(levels[families == "drums"]), False: np.median(levels[families != "drums"])}
    print(f"median of the drums - median of all others: {middle[True] - middle[False]:+.1f} dB")
    for name in dict.fromkeys(families.tolist()):
        mine = np.flatnonzero(families == name)
        offsets = levels[mine] - middle[name == "drums"]
        far = [f"{timbres[i].name} {o:+.0f}" for i, o in zip(mine, offsets, strict=True) if abs(o) > FAR_DB]
        print(f"{name:22} {len(mine):3} {np.median(offsets):+6.1f} dB, {offsets.min():+6.1f} to {offsets.max():+.1f}"
              + (f"; far: {', '.join(far)}" if far else ""))  # fmt: skip


if __name__ == "__main__":
    main()
