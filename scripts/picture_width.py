"""Draw the left and right spectrogram of a pad at three widths.

    python scripts/picture_width.py [-o width.png] [--timbre "pad 1 (new age)"]

One row per width: left, right, and their difference, which is silent for mono. Needs matplotlib.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.signal.dsp import Float, Stft

WIDTHS = (0.0, 0.5, 1.0)
SECONDS, PITCH = 3.0, 60
TOP_HZ, RANGE_DB = 8_000.0, 80.0


def pad(timbre: str, width: float) -> tuple[Float, int]:
    """(N, 2) samples of a held note, and their rate."""
    engine = Engine(channels=2)
    engine.express("width", width, None, at=0)
    engine.note_on(PITCH, 90, timbre=timbre, seed=1, at=0)
    return engine.read(round(SECONDS * engine.sample_rate)), engine.sample_rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("width.png"), help="picture to write")
    parser.add_argument("--timbre", default="pad 1 (new age)", help="name of the timbre")
    arguments = parser.parse_args()
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(WIDTHS), 3, figsize=(10, 6), sharex=True, sharey=True, layout="constrained")
    stft = Stft(2048, 512)
    for row, width in zip(axes, WIDTHS, strict=True):
        sides, rate = pad(arguments.timbre, width)
        left, right = sides.T
        correlation = float(np.corrcoef(left, right)[0, 1])
        for plot, (name, samples) in zip(
            row, (("left", left), ("right", right), ("left - right", left - right)), strict=True
        ):
            level = 20 * np.log10(np.abs(stft.analyse(np.ascontiguousarray(samples))) + 1e-7)
            extent = (0.0, SECONDS, 0.0, rate / 2000)
            plot.imshow(
                level.T, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-RANGE_DB + 20, vmax=20
            )
            plot.set_ylim(0, TOP_HZ / 1000)
            plot.set_title(f"{name}, width {width:g}", fontsize=9)
        row[0].set_ylabel("kHz")
        print(f"width {width:g}: correlation of left and right {correlation:.3f}")
    for plot in axes[-1]:
        plot.set_xlabel("s")
    figure.savefig(arguments.output, dpi=90)


if __name__ == "__main__":
    main()
