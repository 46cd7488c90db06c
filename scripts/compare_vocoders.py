"""Compare the vocoders of two models: `python scripts/compare_vocoders.py A.cmaudio B.cmaudio --corpus FOLDER`.

Both get the mel spectrograms of the same held-out recordings. Printed are the multi-resolution mel distances (log10) to
the recordings, and between the two outputs, by kind of timbre, and the time that each vocoder takes for a block of
sixteen voices, interleaved.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from cmaudio.evaluation.corpus.clips import HeldOut, held_out_clips
from cmaudio.evaluation.corpus.copying import copy
from cmaudio.machine import describe_machine
from cmaudio.model.file import Model, load_model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.training.tasks.mel_loss import MultiResolutionMelLoss

VOICES, ROUNDS = 16, 60


def kind_of(model: Model, clip: HeldOut) -> str:
    """The group in whose mean a clip counts."""
    timbre = model.timbres[clip.timbre]
    if not timbre.pitched:
        return "unpitched"
    if timbre.program is None:
        return "other"
    return "programs 1 to 96" if timbre.program < 96 else "programs 97 to 128"


def block_ms(networks: list[Synthesizer]) -> list[float]:
    """Smallest time of a block of all voices, by model."""
    rng = np.random.default_rng(0)
    inputs = []
    for each in networks:
        mel = rng.standard_normal((VOICES, each.block_frames, each.bands)).astype(np.float32)
        f0 = np.full((VOICES, each.block_frames), 220, np.float32)
        inputs.append((each.vocoder, mel, f0, each.vocoder.init_state(VOICES)))
    times = []
    for _ in range(ROUNDS):
        for vocoder, mel, f0, state in inputs:
            start = time.perf_counter()
            vocoder(mel, f0, state=state)
            times.append(time.perf_counter() - start)
    return [1000 * min(times[i :: len(inputs)]) for i in range(len(inputs))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs=2, help="embedded model or model file")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of a prepared corpus")
    parser.add_argument("--limit", type=int, default=128, help="held-out recordings")
    given = parser.parse_args()
    models = [load_model(name) for name in given.models]
    networks = [Synthesizer(model) for model in models]
    clips = held_out_clips(given.corpus, models[0], given.limit).clips
    loss = MultiResolutionMelLoss(models[0].manifest.sample_rate)

    def distance(a: Float, b: Float) -> float:
        with torch.no_grad():
            return float(loss(torch.from_numpy(a)[None], torch.from_numpy(b)[None]))

    rows: dict[str, list[list[float]]] = defaultdict(list)
    for clip in clips:
        end = len(clip.audio) - models[0].stft.overlap
        first, second = (copy(each, clip)[:end] for each in networks)
        recorded = clip.audio[:end]
        found = [distance(first, recorded), distance(second, recorded), distance(first, second)]
        for kind in (kind_of(models[0], clip), "all"):
            rows[kind].append(found)
    machine = describe_machine()
    print(f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_average']}\n")
    print("| recordings | number | A | B | between A and B |\n|---|---|---|---|---|")
    for kind, values in sorted(rows.items()):
        print(f"| {kind} | {len(values)} | " + " | ".join(f"{x:.4f}" for x in np.mean(values, 0)) + " |")
    print(f"\nA block of {VOICES} voices: " + ", ".join(f"{x:.2f} ms" for x in block_ms(networks)))


if __name__ == "__main__":
    main()
