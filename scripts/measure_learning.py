"""Measure learned timbres on unseen sounds: the nearest named timbre, learned without search, searched, and tuned.

    sudo apt-get install minetest-data    # the sounds below, which no model was trained on
    python scripts/measure_learning.py --minutes 0 0.4 1 3 10 --json learning.json

Distance: for one-shots, the mean absolute difference in dB of log-mels, frame by frame over eight takes, where either
is 20 dB above the floor; for beds, that of the quantiles of each band. Score: the energy score of
`cmaudio.learning.scoring`. The nearest named timbre is the one whose predicted median has the smallest distance, level
included. Takes are judged with other seeds than those of search and tuning. Times are CPU times of one thread, also
those that limit tuning, so that the figures do not depend on the load of the machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.learning.example import DB, Example, measure, steady_part
from cmaudio.learning.expectation import Expectation
from cmaudio.learning.hearing import heard
from cmaudio.learning.learn import SEARCH_SECONDS, lesson_of
from cmaudio.learning.reading import read_examples
from cmaudio.learning.scoring import SKIPPED_FRAMES, score_of_bed, score_of_takes
from cmaudio.learning.search import found_at_once, found_by_search
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import TimbreDefinition, with_timbre
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer

FOLDER = Path("/usr/share/games/minetest/games/minetest_game/mods")
SOUNDS = (
    "fire_large", "default_furnace_active", "env_sounds_lava.1", "env_sounds_water.1", "default_break_glass.1",
    "default_chest_open", "default_place_node_metal.1", "default_snow_footstep.1", "doors_steel_door_close",
    "tnt_explode",
)  # fmt: skip
SEEDS = (11, 12, 13, 14, 15, 16, 17, 18)
_QUANTILES = np.linspace(0.05, 0.95, 19)
_AUDIBLE_NEPERS = 20 / DB
_SECONDS = {True: 2.0, False: 1.5}


def distance_db(recorded: Float, takes: Sequence[Float], bed: bool, floor: float) -> float:
    """Mean distance of takes from a recording, (T, M) log-mel each."""
    if bed:
        mels = (steady_part(recorded), np.concatenate([take[SKIPPED_FRAMES:] for take in takes]))
        pairs = [tuple(np.quantile(mel, _QUANTILES, axis=0) for mel in mels)]
    else:
        frames = min(len(recorded), len(takes[0]))
        pairs = [(recorded[:frames], take[:frames]) for take in takes]
    apart = [np.abs(a - b)[np.maximum(a, b) > floor + _AUDIBLE_NEPERS].mean() for a, b in pairs]
    return float(np.mean(apart) * DB)


def judged(model: Model, networks: Synthesizer, timbre: str, example: Example, bed: bool) -> dict[str, float]:
    """Distance and score of a timbre."""
    floor = float(np.log(model.mel.floor))
    frame_rate = model.manifest.sample_rate / model.manifest.hop_length
    seconds = min(_SECONDS[bed], len(example.mel) / frame_rate) if not bed else _SECONDS[bed]
    takes = heard(model, networks.with_model(model), timbre, seconds, SEEDS)
    score = score_of_bed(example.mel, takes) if bed else score_of_takes(example.mel, takes, floor)
    return {"distance_db": round(distance_db(example.mel, takes, bed, floor), 2), "score_db": round(score, 2)}


def nearest_named(model: Model, expectation: Expectation, example: Example, bed: bool) -> str:
    """The named timbre whose median, as predicted by the prior, is nearest to an example."""
    timbres = [timbre for timbre in model.manifest.timbres if timbre.sustained == bed]
    frame_rate, floor = model.manifest.sample_rate / model.manifest.hop_length, np.log(model.mel.floor)
    frames = np.arange(1, min(len(example.mel), 96) + 1, 4)
    mel = np.median(steady_part(example.mel), 0)[None] if bed else example.mel[frames - 1]
    median = expectation(timbres, np.array([60.0]) if bed else frames / frame_rate, None).median
    audible = np.maximum(median, mel) > floor + _AUDIBLE_NEPERS
    apart = (np.abs(median - mel) * audible).sum((1, 2)) / np.maximum(audible.sum((1, 2)), 1)
    return timbres[int(apart.argmin())].name


def learned(model: Model, networks: Synthesizer, path: Path, minutes: float) -> tuple[TimbreDefinition, str]:
    """Learn a timbre as `learn_timbre` does, in this process; returns it, and the name of the timbre it starts from."""
    lesson = lesson_of(model, [path], "learned here", "auto", networks, lambda text: None)
    if not minutes:
        return found_at_once(lesson), lesson.near[0].name
    timbre, nearest = found_by_search(lesson, min(60 * minutes, SEARCH_SECONDS), lambda share, text: None)
    if 60 * minutes > SEARCH_SECONDS:
        from cmaudio.training.tuning.tune import tuned

        seconds = 60 * minutes - SEARCH_SECONDS
        timbre = tuned(lesson, timbre, seconds, lambda share, text: None, clock=time.thread_time)
    return timbre, nearest


def measured(model: Model, networks: Synthesizer, path: Path, minutes: Sequence[float]) -> dict[str, Any]:
    """The figures of one sound."""
    example = measure(read_examples([path], model.manifest.sample_rate, lambda text: None), model)[0]
    found: dict[str, Any] = {}
    for limit in minutes:
        started = time.thread_time()
        timbre, nearest = learned(model, networks, path, limit)
        spent, bed = time.thread_time() - started, timbre.sustained
        extended = replace(model, manifest=with_timbre(model.manifest, timbre))
        if not found:
            name = nearest_named(model, Expectation(networks), example, bed)
            found = {"bed": bed, "named": {"timbre": name} | judged(model, networks, name, example, bed)}
        figures = judged(extended, networks, "learned here", example, bed)
        found[f"{limit:g} min"] = {"timbre": nearest, "seconds": round(spent, 2)} | figures
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of sounds, searched recursively")
    parser.add_argument("--minutes", type=float, nargs="+", default=[0.0, 1.0], help="time limits; 0: no search")
    parser.add_argument("--sounds", nargs="+", default=SOUNDS, help="names of .ogg files, without the extension")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    model = load_model("textures")
    networks, rows = Synthesizer(model), dict[str, Any]()
    for name in arguments.sounds:
        path = next(arguments.folder.rglob(f"{name}.ogg"))
        rows[name] = measured(model, networks, path, arguments.minutes)
        print(name, json.dumps(rows[name]), flush=True)
    ways = ["named", *(f"{limit:g} min" for limit in arguments.minutes)]
    for key in ("distance_db", "score_db"):
        print(key, {way: round(float(np.mean([row[way][key] for row in rows.values()])), 2) for way in ways})
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"peak memory: {megabytes:.0f} MB")
    if arguments.json:
        arguments.json.write_text(json.dumps({"sounds": rows, "megabytes": round(megabytes)}, indent=1))


if __name__ == "__main__":
    main()
