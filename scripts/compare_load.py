"""Compare the load and the samples of several versions of the code.

    git worktree add ../before v0.1.0
    python scripts/compare_load.py ../before . --voices 16 --blocks 60

Each version plays in a process of its own, and the processes compute one block each in turn, so that other load on the
machine affects all alike. Reports the real-time factor (thread CPU time / audio time) of all blocks and of the best
one, the 99th percentile of the time of a read, and the level of the difference to the samples of the first version.
Not all blocks cost the same, since voices that start apart may share evaluations that fall into different blocks.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_FIRST_BLOCKS = 4


def play(name: str, voices: int, together: bool, target: str) -> None:
    """For each line on standard input, compute a block and print the CPU seconds of its reads; at the end write all."""
    from cmaudio.bench.material import live_engine, start_held_notes
    from cmaudio.model.file import load_model

    model = load_model(name)
    engine = live_engine(model, voices, threads=1)
    block, chunk = model.manifest.block_samples, 256
    start_held_notes(engine, voices, 0 if together else block)
    parts = [engine.read(chunk) for _ in range(_FIRST_BLOCKS * block // chunk)]
    print(block / engine.sample_rate, flush=True)
    for _ in sys.stdin:
        times = [time.thread_time()]
        for _ in range(block // chunk):
            parts.append(engine.read(chunk))
            times.append(time.thread_time())
        print(*np.diff(times), flush=True)
    np.save(target, np.concatenate(parts))


def compare(trees: list[Path], model: str, voices: int, together: bool, blocks: int) -> None:
    """Play with all versions in turn, and print a line for each version."""
    with tempfile.TemporaryDirectory() as folder:
        targets = [Path(folder) / f"{number}.npy" for number in range(len(trees))]
        started = [_start(tree, target, model, voices, together) for tree, target in zip(trees, targets, strict=True)]
        block_s, *_ = [_answer(process)[0] for process in started]
        seconds: list[list[list[float]]] = [[] for _ in trees]
        for _ in range(blocks):
            for process, times in zip(started, seconds, strict=True):
                assert process.stdin
                process.stdin.write("\n")
                process.stdin.flush()
                times.append(_answer(process))
        for process in started:
            process.communicate()
        samples = [np.load(target).astype(np.float64) for target in targets]
    first = np.sum(seconds[0])
    for tree, times, own in zip(trees, seconds, samples, strict=True):
        of_blocks = np.sum(times, 1)
        factors = f"load {of_blocks.mean() / block_s:.3f}, best {of_blocks.min() / block_s:.3f}"
        slow = f"reads up to {1e3 * np.percentile(times, 99):.1f} ms"
        power = np.square(own - samples[0]).sum() / np.square(samples[0]).sum()
        difference = f"difference {10 * np.log10(power + 1e-30):.0f} dB"
        print(f"{tree}: {factors}, {of_blocks.sum() / first:.2f} of the first, {slow}, {difference}")


def _start(tree: Path, target: Path, model: str, voices: int, together: bool) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--play", str(target), "--model", model, "--voices", str(voices)]
    environment = os.environ | {"PYTHONPATH": str(tree.resolve())}
    return subprocess.Popen(
        [*command, *(["--together"] if together else [])],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _answer(process: subprocess.Popen[str]) -> list[float]:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        sys.exit("one of the versions ended early; its error is above")
    return [float(number) for number in line.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "trees", nargs="*", type=Path, help="folders that contain the package; the first is the reference"
    )
    parser.add_argument("--model", default="instrument", help="an embedded model of notes or textures")
    parser.add_argument("--voices", type=int, default=16, help="number of held notes")
    parser.add_argument("--blocks", type=int, default=60, help="number of blocks to compute with each version")
    parser.add_argument("--together", action="store_true", help="all notes start at once, instead of over one block")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        play(arguments.model, arguments.voices, arguments.together, arguments.play)
    elif len(arguments.trees) < 2 or arguments.blocks < 1 or arguments.voices < 1:
        parser.error("give at least two folders, one voice and one block")
    else:
        compare(arguments.trees, arguments.model, arguments.voices, arguments.together, arguments.blocks)


if __name__ == "__main__":
    main()
