"""Measure the loudness of a model's presets; --write changes their `gain_db` so that they are equally loud.

Each preset plays the same four notes (textures: four takes), one at a time. Its level is the A-weighted power (IEC
61672-1, annex E) of the loudest 0.4 s of each note, before the limiter, averaged over the notes.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.instrument.preset import Preset
from cmaudio.model.file import Model, load_model
from cmaudio.model.timbres import Timbre
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.distance import direct_gain
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.renderer import Renderer

FOLDER = Path(__file__).parent.parent / "cmaudio" / "presets"
KEYS, VELOCITY = (43, 52, 60, 67), 90
HELD_SECONDS, LOUDEST_SECONDS = 1.2, 0.4
APART_DB = 2.0
_STEP_DB = 0.5


def a_weighted(samples: Float, rate: int) -> np.ndarray:
    """(N,) samples under A-weighting, 0 dB at 1 kHz."""
    hz = np.fft.rfftfreq(len(samples), 1 / rate)
    f2 = np.square(hz)
    poles = (f2 + 20.6**2) * (f2 + 12194.0**2) * np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2))
    gain = 1.2589 * 12194.0**2 * f2**2 / poles
    return np.asarray(np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)))


def loudest_db(samples: Float, rate: int) -> float:
    """A-weighted level of the loudest 0.4 s, in dB."""
    window = round(LOUDEST_SECONDS * rate)
    energy = np.concatenate([[0.0], np.cumsum(np.square(a_weighted(samples, rate)))])
    return float(10 * np.log10((energy[window:] - energy[:-window]).max() / window + 1e-20))


def notes_of(
    renderer: Renderer,
    timbre: Timbre,
    keys: Sequence[int],
    seconds: float,
    expression: Mapping[str, float] | None = None,
) -> list[Float]:
    """The notes of a timbre at some keys, each by itself, before the limiter."""
    notes = [HeldNote("", key, VELOCITY, seed=key, expression=expression or {}, point=timbre) for key in keys]
    return [samples for _, samples in hold(renderer, notes, round(seconds * renderer.sample_rate))]


def learned_controls(preset: Preset) -> dict[str, float]:
    """The controls that are inputs of a texture's networks, and set its level."""
    return {name: value for name, value in preset.controls.items() if name in EXPRESSIONS and EXPRESSIONS[name].learned}


def presets_of(model: Model) -> dict[Path, Preset]:
    """The included presets of a model, by file."""
    presets = {path: Preset.model_validate_json(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}
    return {path: preset for path, preset in presets.items() if preset.model == model.manifest.name}


def levels_db(presets: Sequence[Preset], model: Model) -> list[float]:
    """Level of each preset, its gain included."""
    renderer = Renderer(Synthesizer(model))
    powers: list[list[float]] = []
    for preset in presets:
        notes = notes_of(renderer, preset.timbre, KEYS, HELD_SECONDS, learned_controls(preset))
        powers.append([10 ** (loudest_db(note, renderer.sample_rate) / 10) for note in notes])
    gains = [preset.gain_db + 20 * np.log10(direct_gain(preset.controls.get("distance", 0.0))) for preset in presets]
    return [float(10 * np.log10(np.mean(row)) + gain) for row, gain in zip(powers, gains, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="instrument", help="a model's name or file")
    parser.add_argument("--write", action="store_true", help="write the gains to the presets' files")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    presets = presets_of(model)
    levels = dict(zip(presets, levels_db(list(presets.values()), model), strict=True))
    middle = float(np.median(list(levels.values())))
    for path, level in sorted(levels.items(), key=lambda row: row[1]):
        print(f"{presets[path].name:20} {level - middle:+6.1f} dB, gain_db {presets[path].gain_db:g}")
    print(f"loudest - quietest: {max(levels.values()) - min(levels.values()):.1f} dB (at most {APART_DB:g})")
    if arguments.write:
        for path, level in levels.items():
            gain_db = round((presets[path].gain_db + middle - level) / _STEP_DB) * _STEP_DB
            text = re.sub(r'(?<="gain_db": )[-\d.]+', str(gain_db), path.read_text(encoding="utf-8"))
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
