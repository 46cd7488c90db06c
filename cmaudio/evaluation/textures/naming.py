"""Whether a classifier recognises textures like recordings: a linear layer on embeddings, trained on recordings.

It is trained on the timbres of the training recordings, and classifies held-out recordings and the model's output.
Fréchet distances are of windows of the same embeddings, in the principal directions of the recordings: to held-out
recordings, from the output and from the training recordings (looping them), and between halves of the latter.

Shapes: N clips, P windows, E dimensions of an embedding, C timbres.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, not_measured, summary
from cmaudio.evaluation.held_out import frechet_of_features
from cmaudio.evaluation.textures.embedding import SoundEmbedding, find_weights
from cmaudio.evaluation.textures.linear import LinearLayer
from cmaudio.evaluation.textures.material import chosen_timbres, recorded_sounds, sounds_of
from cmaudio.signal.dsp import Float

_SEEDS, _QUICK_SEEDS = 4, 1
_SECONDS = {True: 5.0, False: 1.6}  # steady or not
_DIRECTIONS, _LEAST_WINDOWS = 8, 4

Array = NDArray[np.float64]
Embed = Callable[[Float], Array]


def measure_naming(context: EvaluationContext) -> Figures:
    """Accuracy of the classifier, and distances of embeddings."""
    weights = find_weights()
    if weights is None:
        return not_measured("embeddings of sound effects need pip install --no-deps aisfx")
    embed = SoundEmbedding(weights, context.renderer.sample_rate)
    sounds = recorded_sounds(context)
    chosen = [timbre.name for timbre in chosen_timbres(context)]
    taught = chosen if context.quick else list(sounds["train"])  # fewer classes would be easier to distinguish
    recorded = {"train": _embedded(sounds["train"], taught, embed)}
    recorded["held_out"] = _embedded(sounds["held_out"], chosen, embed)
    context.progress("naming: recordings embedded")
    made = {}
    seeds = range(_QUICK_SEEDS if context.quick else _SEEDS)
    for timbre in chosen_timbres(context):
        sounds_made = sounds_of(context, timbre.name, seeds, _SECONDS[timbre.sustained])
        made[timbre.name] = [embed(sound) for sound in sounds_made]
        context.progress(f"naming: {timbre.name}")
    return named(recorded["train"], recorded["held_out"], made) | distances(
        recorded["train"], recorded["held_out"], made
    )


def _embedded(sounds: Mapping[str, Sequence[Float]], chosen: Sequence[str], embed: Embed) -> dict[str, list[Array]]:
    return {timbre: [embed(sound) for sound in sounds[timbre]] for timbre in chosen if timbre in sounds}


def named(
    train: Mapping[str, list[Array]], held_out: Mapping[str, list[Array]], made: Mapping[str, list[Array]]
) -> Figures:
    """Classification accuracy of clips, each given as the embeddings of its windows (P, E).

    `made_over_held_out` is the accuracy on the output over that on held-out recordings, for timbres that have some;
    `as_held_out` is the share of the output that gets the class which most held-out recordings of its timbre get.
    """
    names = sorted(train)
    rows = [(np.concatenate(train[name]), i) for i, name in enumerate(names)]
    layer = LinearLayer.fitted(
        np.concatenate([x for x, _ in rows]), np.concatenate([np.full(len(x), i) for x, i in rows]), len(names)
    )
    both = [name for name in names if held_out.get(name) and made.get(name)]
    found = {"held_out": _answers(layer, held_out, both), "made": _answers(layer, made, names)}
    made_of = [name for name in names if name in found["made"]]
    right = {what: _share_right(found[what], names, both) for what in found}
    usual = {name: np.bincount(found["held_out"][name]).argmax() for name in both}
    alike = [float(np.mean(found["made"][name] == usual[name])) for name in both]
    return {
        "timbres_with_held_out": len(both),
        "held_out_right": right["held_out"],
        "made_right": right["made"],
        "made_over_held_out": _ratio(right["made"], right["held_out"]),
        "as_held_out": round(float(np.mean(alike)), 3) if alike else None,
        "made_right_of_all": _share_right(found["made"], names, made_of),
        "timbres": {
            name: {
                "made": [names[i] for i in found["made"].get(name, [])],
                "held_out": [names[i] for i in found["held_out"].get(name, [])],
            }
            for name in made_of
        },
    }


def _answers(
    layer: LinearLayer, clips: Mapping[str, list[Array]], names: Sequence[str]
) -> dict[str, NDArray[np.int64]]:
    """The index of the class of each clip, by its windows together."""
    return {
        name: np.array([int(layer(clip).mean(0).argmax()) for clip in clips[name]]) for name in names if clips.get(name)
    }


def _share_right(found: Mapping[str, NDArray[np.int64]], names: Sequence[str], of: Sequence[str]) -> float | None:
    shares = [float(np.mean(found[name] == names.index(name))) for name in of]
    return round(float(np.mean(shares)), 3) if shares else None


def _ratio(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else round(a / b, 3)


def distances(
    train: Mapping[str, list[Array]], held_out: Mapping[str, list[Array]], made: Mapping[str, list[Array]]
) -> Figures:
    """Summaries over the timbres that have enough windows, and the rows."""
    everything = np.concatenate([window for clips in train.values() for window in clips])
    project = partial(_projected, directions_of(everything, _DIRECTIONS))
    rows: dict[str, Figures] = {}
    for name in made:
        recorded, unseen, ours = (project(of.get(name, [])) for of in (train, held_out, made))
        rows[name] = {
            "to_training": distance(ours, recorded),
            "halves": distance(recorded[::2], recorded[1::2]),
            "to_held_out": distance(ours, unseen),
            "looping_to_held_out": distance(recorded, unseen),
        }
    overall = {
        key: summary([row[key] for row in rows.values() if row[key] is not None])
        for key in ("to_training", "halves", "to_held_out", "looping_to_held_out")
    }
    return {"embeddings": overall | {"timbres": rows}}


def directions_of(windows: Array, count: int) -> tuple[Array, Array]:
    """Mean (E,), and the first principal directions (E, D), scaled to unit variance."""
    mean = windows.mean(0)
    _, spread, directions = np.linalg.svd(windows - mean, full_matrices=False)
    scale = np.maximum(spread[:count], 1e-9) / np.sqrt(len(windows))
    return mean, directions[:count].T / scale


def _projected(directions: tuple[Array, Array], clips: Sequence[Array]) -> Array:
    mean, axes = directions
    return (np.concatenate(clips) - mean) @ axes if clips else np.zeros((0, axes.shape[1]))


def distance(a: Array, b: Array) -> float | None:
    """Fréchet distance of windows; None for too few of them."""
    if min(len(a), len(b)) < _LEAST_WINDOWS:
        return None
    return round(frechet_of_features(a, b), 3)
