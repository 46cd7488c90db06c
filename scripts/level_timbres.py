"""Loudness of the timbres and drums of a model, measured as by `level_presets.py`.

Each plays a low and a middle key, a drum its own. General MIDI leaves the balance to the sounds: outliers are named, by
family.
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
FAR_DB = 10.0  # from the median of all, or of the kit


def kin(timbre: TimbreDefinition) -> str:
    """The family of a timbre."""
    if timbre.key is not None:
        return "drums"
    return "others" if timbre.program is None else family(timbre.program)


def levels_db(timbres: Sequence[TimbreDefinition], renderer: Renderer) -> np.ndarray:
    """(N,) dB, the power of each timbre's keys averaged."""
    levels = []
    for timbre in timbres:
        keys = KEYS if timbre.key is None else (timbre.key,)
        notes = notes_of(renderer, np.array(timbre.vector), keys, HELD_SECONDS)
        powers = [10 ** (loudest_db(note, renderer.sample_rate) / 10) for note in notes]
        levels.append(10 * np.log10(np.mean(powers)))
    return np.array(levels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="instrument", help="a model's name or file")
    model = load_model(parser.parse_args().model)
    timbres = model.manifest.timbres
    levels = levels_db(timbres, Renderer(Synthesizer(model)))
    kinds = np.array([kin(timbre) for timbre in timbres])
    middle = {True: np.median(levels[kinds == "drums"]), False: np.median(levels[kinds != "drums"])}
    print(f"drums lie {middle[True] - middle[False]:+.1f} dB from all others (medians)")
    for kind in dict.fromkeys(kinds.tolist()):
        mine = np.flatnonzero(kinds == kind)
        offsets = levels[mine] - middle[kind == "drums"]
        far = [f"{timbres[i].name} {o:+.0f}" for i, o in zip(mine, offsets, strict=True) if abs(o) > FAR_DB]
        print(f"{kind:22} {len(mine):3} {np.median(offsets):+6.1f} dB, {offsets.min():+6.1f} to {offsets.max():+.1f}"
              + (f"; far: {', '.join(far)}" if far else ""))  # fmt: skip


if __name__ == "__main__":
    main()
