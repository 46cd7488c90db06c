"""The weighted mean of two vocoders' weights, one of which began as the other.

    python scripts/average_vocoders.py RUN FIRST SECOND OUTPUT [--share 0.5]

RUN is a run whose configuration has the vocoders' shape; FIRST and SECOND are .safetensors of runs, model files or
names of embedded models; OUTPUT is for `start_from.vocoder`. Between weights before and after a tuning lie some that
keep what both are good at (Wortsman et al. 2022, arXiv 2109.01903).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from cmaudio.training.config import read_config
from cmaudio.training.corpus.description import read_description
from cmaudio.training.networks.build import make_vocoder_network
from cmaudio.training.run.weights import read_statistics, save_weights, start_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "first", "second", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the second, 0 to 1")
    given = parser.parse_args()
    config = read_config(given.run / "config.yaml")
    signal = read_description(Path(json.loads((given.run / "run.json").read_text())["corpus"])).signal
    first, second = (make_vocoder_network(config, signal) for _ in range(2))
    start_from(given.first, first, [])
    start_from(given.second, second, [])
    with torch.no_grad():
        for mean, other in zip(first.parameters(), second.parameters(), strict=True):
            mean.lerp_(other, given.share)
    about = {"stage": "vocoder", "steps": f"mean of {given.first} and {given.second}, {given.share:g} of the latter"}
    save_weights(given.output, first, read_statistics(given.first), [], about)


if __name__ == "__main__":
    main()
