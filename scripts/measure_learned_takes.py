"""Measure how strikes of learned one-shots differ, compared with real takes of sounds that no model was trained on.

    sudo apt-get install minetest-data    # steps, digging, breaking: NAME.1.ogg, NAME.2.ogg, ...
    python scripts/measure_learned_takes.py

Each sound with three or more takes is learned from its first take, and from all but its last. Spread: the mean
difference of log-mels over pairs of 32 strikes, in the first 0.4 s, as a share of that over the real takes. Score: the
energy score in dB (`cmaudio.learning.scoring`) against the takes that were not learned from; lower is better. Both are
also measured of the same timbre without its motion, whose strikes differ by what the networks draw alone.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cmaudio.evaluation.textures.takes import spread
from cmaudio.learning.example import measure
from cmaudio.learning.hearing import heard
from cmaudio.learning.learn import lesson_of
from cmaudio.learning.reading import read_examples
from cmaudio.learning.scoring import score_of_takes
from cmaudio.learning.search import found_at_once
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import with_timbre
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer

FOLDER = Path("/usr/share/games/minetest/games/minetest_game/mods")
_SEEDS, _SPREAD_SECONDS, _LONGEST_SECONDS = range(32), 0.4, 1.5
_SCORED = 8  # of the strikes
_LEAST_TAKES = 3

Row = tuple[float, float]


def takes_in(folder: Path) -> dict[str, list[Path]]:
    """Files NAME.NUMBER.ogg by name, of those with enough takes."""
    found = defaultdict(list)
    for path in sorted(folder.rglob("*.[0-9].ogg")):
        found[path.stem.rpartition(".")[0]].append(path)
    return {name: paths for name, paths in found.items() if len(paths) >= _LEAST_TAKES}


def judged(
    model: Model, networks: Synthesizer, learned_from: Sequence[Path], others: Sequence[Float], recorded: list[Float]
) -> tuple[Row, Row]:
    """Spread and score of a learned timbre: with motion, and without."""
    lesson = lesson_of(model, learned_from, "learned here", "one-shot", networks, lambda text: None)
    learned = found_at_once(lesson)
    seconds = min(_LONGEST_SECONDS, max(map(len, recorded)) / model.manifest.frame_rate)
    frames = int(_SPREAD_SECONDS * model.manifest.frame_rate)
    rows = []
    for timbre in (learned, learned.model_copy(update={"motion": None})):
        extended = replace(model, manifest=with_timbre(model.manifest, timbre))
        strikes = heard(extended, networks.with_model(extended), timbre.name, seconds, _SEEDS)
        share = spread(strikes, frames, model.mel.floor) / spread(recorded, frames, model.mel.floor)
        score = np.mean([score_of_takes(mel, strikes[:_SCORED], lesson.floor) for mel in others])
        rows.append((round(share, 2), round(float(score), 2)))
    return rows[0], rows[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of sounds, searched recursively")
    arguments = parser.parse_args()
    model = load_model("textures")
    networks, rows = Synthesizer(model), []
    for name, paths in takes_in(arguments.folder).items():
        recorded = [e.mel for e in measure(read_examples(paths, model.manifest.sample_rate, lambda text: None), model)]
        one = judged(model, networks, paths[:1], recorded[1:], recorded)
        several = judged(model, networks, paths[:-1], recorded[-1:], recorded)
        rows.append([one, several])
        print(
            f"{name}: from one {one[0]}, without motion {one[1]}; from several {several[0]}, {several[1]}", flush=True
        )
    for label, way in (("one take", 0), ("all takes but one", 1)):
        for motion, kind in (("with motion", 0), ("without", 1)):
            shares, scores = np.array([row[way][kind] for row in rows]).T
            print(
                f"{label}, {motion}: spread {np.median(shares):.2f} ({shares.min():.2f} to {shares.max():.2f}), "
                f"{np.mean((shares >= 0.5) & (shares <= 2)):.2f} of them 0.5 to 2; score {scores.mean():.2f} dB"
            )


if __name__ == "__main__":
    main()
