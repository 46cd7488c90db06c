"""Evenness of level: of one key over different seeds, and of the keys of a chromatic octave.

Levels are root mean squares of the first half second of a held note, in dB.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cmaudio.evaluation.context import EvaluationContext, Figures, level_db, summary
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.score.general_midi import FAMILIES

SEEDS, PITCH, VELOCITY = 16, 60, 90
OCTAVE = tuple(range(55, 67))
SECONDS = 0.5
_FIRST_SEED = 1000
_PROGRAMS_A_FAMILY = 8
_WORST = 12


def family(timbre: TimbreDefinition) -> str:
    """The General MIDI family of a timbre, "drums" for the percussion channel's, "others" for all else."""
    if timbre.program is not None:
        return FAMILIES[timbre.program // _PROGRAMS_A_FAMILY]
    return "drums" if timbre.key is not None else "others"


def measure_evenness(context: EvaluationContext) -> Figures:
    """For every timbre: one key with 16 seeds and, if pitched, a chromatic octave, beside the SoundFont's own."""
    chosen = context.timbres()
    samples = round(SECONDS * context.renderer.sample_rate)
    seeds, octave, theirs = (defaultdict[str, list[float]](list) for _ in range(3))
    for timbre in chosen:
        notes = [HeldNote(timbre.name, PITCH, VELOCITY, _FIRST_SEED + i) for i in range(SEEDS)]
        keys = [HeldNote(timbre.name, pitch, VELOCITY) for pitch in OCTAVE] if timbre.pitched else []
        levels = [level_db(signal) for _, signal in hold(context.renderer, [*notes, *keys], samples)]
        seeds[timbre.name], octave[timbre.name] = levels[:SEEDS], levels[SEEDS:]
        recorded = [context.recorded(timbre.name, note.pitch, VELOCITY, samples) for note in keys]
        theirs[timbre.name] = [level_db(sound) for sound in recorded if sound is not None]
        context.progress(f"evenness: {timbre.name}")
    return {
        "seeds": SEEDS,
        "seed_level_std_db": _spread(seeds, chosen, lambda values: float(np.std(values))),
        "octave_range_db": _spread(octave, chosen, _range),
        "soundfont_octave_range_db": _spread(theirs, chosen, _range),
    }


def _range(levels: Sequence[float]) -> float:
    return max(levels) - min(levels)


def _spread(
    levels: Mapping[str, Sequence[float]],
    timbres: Sequence[TimbreDefinition],
    measure: Callable[[Sequence[float]], float],
) -> Figures:
    """A measure of each timbre's levels: summary, by family (median, worst), and the worst timbres."""
    found = {name: measure(values) for name, values in levels.items() if values}
    families: dict[str, list[float]] = defaultdict(list)
    for timbre in timbres:
        if timbre.name in found:
            families[family(timbre)].append(found[timbre.name])
    worst = sorted(found, key=lambda name: -found[name])[:_WORST]
    return {
        **summary(list(found.values())),
        "families": {
            name: {"n": len(v), "median": round(float(np.median(v)), 3), "max": round(max(v), 3)}
            for name, v in families.items()
        },
        "worst": [{"timbre": name, "db": round(found[name], 2)} for name in worst],
    }
