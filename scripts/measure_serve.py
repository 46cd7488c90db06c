"""Measure how many streams `cmaudio serve` carries in real time: `python scripts/measure_serve.py --streams 8 16 24`.

For each model and number of listeners a server is started on the loopback interface, on one processor or more (Linux).
So many listeners ask it for one sound after the other, each as long as a sentence or two, or hold a web socket on which
notes are played. A listener begins to play 0.1 s after its first sound; from then on, sound that comes later than it is
due is a gap. A number is carried where there is no gap, nothing is refused, and the first sound comes within 0.3 s in
99 of 100 cases. `--alone` measures the same sound made by one process a listener, and `--peer` other systems behind the
same endpoint (`serve_peer.py`). Reported as well: processor seconds that an hour of sound takes, memory of the process,
and what each listener adds to it. The table is printed as Markdown, with machine and date.

`--work` measures instead the processor seconds that a second of sound takes in one process, without HTTP and as fast as
it goes, for each number of streams that share evaluations: on a machine that others use, times say little.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from statistics import quantiles
from typing import Any

from serve_listeners import NOTE_SECONDS, POLYPHONY, TEXTS, Heard, crowd
from serve_peer import PEERS

from cmaudio.engine.engine import Engine
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.machine import describe_machine
from cmaudio.serve.batcher import Batcher
from cmaudio.serve.notes import NoteStream
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.serve.stream import Stream

FIRST_SECONDS = 0.3
MOST_STREAMS, MOST_SECONDS = 256, 120

ALONE = """
import sys, time, cmaudio
engine = cmaudio.Engine(sys.argv[1], channels=None)
engine.warm_up()
print("ready", flush=True)
began, read, until = time.monotonic(), 0.0, float(sys.argv[2])
speech, number, texts = None, 0, sys.argv[3:]
while read < until:
    if engine.model.manifest.speech is None:
        if number <= read / 0.5:
            note = engine.note_on(48 + number * 7 % 24)
            note.off(at=engine.now + engine.sample_rate // 2)
            number += 1
    elif speech is None or speech.ended:
        speech, number = engine.say(texts[number % len(texts)], background=True), number + 1
    engine.read(1024)
    read += 1024 / engine.sample_rate
    time.sleep(max(0.0, began + read - time.monotonic() - 0.2))
"""


def processor_seconds(pid: int) -> float:
    """Of a process with its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident, shared pages counted in part."""
    return int(re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[0]) / 1024


def served(
    command: list[str], model: str, streams: int, cores: int, seconds: float
) -> tuple[Heard, float, float, float]:
    """What is heard of a server, its processor seconds, and its MB before and after."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **pinned(cores)
    ) as server:
        try:
            assert server.stdout is not None
            greeting = server.stdout.readline()
            found = re.search(r":(\d+)/v1", greeting)
            if found is None:
                sys.exit(f"the server did not start; try `{' '.join(command[1:])}` alone")
            asyncio.run(crowd(model, int(found[1]), Heard(), 1, 4))  # whatever it makes with the first sound
            heard, before, idle = Heard(), processor_seconds(server.pid), memory_mb(server.pid)
            asyncio.run(crowd(model, int(found[1]), heard, streams, seconds))
            return heard, processor_seconds(server.pid) - before, idle, memory_mb(server.pid)
        finally:
            server.kill()


def ours(model: str, cores: int) -> list[str]:
    """The command that serves a model of ours."""
    command = [sys.executable, "-m", "cmaudio.cli", "serve", "--model", model, "--port", "0", "--workers", str(cores)]
    return [*command, "--lead", "1", "--client-streams", "1000", "--client-requests", "100000"]


def theirs(peer: str, cores: int) -> list[str]:
    """The command that serves another system."""
    return [sys.executable, str(Path(__file__).with_name("serve_peer.py")), peer, "--workers", str(cores)]


def alone(model: str, streams: int, cores: int, seconds: float) -> tuple[float, float, float]:
    """Seconds of sound, processor seconds and MB of one process a listener."""
    command = [sys.executable, "-c", ALONE, model, str(seconds), *TEXTS]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, **pinned(cores)) for _ in range(streams)]
    try:
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
        before = [processor_seconds(process.pid) for process in running]
        time.sleep(seconds * 0.9)
        used = sum(processor_seconds(process.pid) - b for process, b in zip(running, before, strict=True))
        return seconds * 0.9 * streams, used, sum(memory_mb(process.pid) for process in running)
    finally:
        for process in running:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)


def pinned(cores: int) -> dict[str, Any]:
    """Arguments of Popen for a process on the first processors."""
    mine = sorted(os.sched_getaffinity(0))[:cores]
    return {"preexec_fn": lambda: os.sched_setaffinity(0, mine)}


def report(name: str, streams: int, heard: Heard, used: float, idle: float, memory: float) -> None:
    """One row of a table."""
    cuts = quantiles(heard.first, n=100) if len(heard.first) > 1 else [float("nan")] * 99
    carried = not heard.gaps and not heard.refused and cuts[98] <= FIRST_SECONDS
    row = [name, streams, "yes" if carried else "no", f"{1000 * cuts[49]:.0f} / {1000 * cuts[98]:.0f}", heard.gaps]
    row += [heard.refused, f"{heard.seconds:.0f}", f"{3600 * used / max(heard.seconds, 1e-9):.0f}"]
    row += [f"{idle:.0f}", f"{max(0.0, memory - idle) / streams:.2f}"]
    print(f"| {' | '.join(map(str, row))} |", flush=True)


class Unheard:
    """A sink that keeps nothing."""

    full = False

    def __init__(self) -> None:
        self.done = threading.Event()

    def write(self, samples: object) -> None: ...

    def finish(self) -> None:
        self.done.set()

    def fail(self, error: Exception) -> None:
        raise error


def work(model: str, streams: int) -> tuple[float, float]:
    """Seconds of sound of some streams, and the processor seconds that they took."""
    loaded = LoadedModel(model)
    Engine(loaded).warm_up()
    batcher, made = Batcher(), list[tuple[Stream, Unheard]]()
    for seed in range(streams):
        sink = Unheard()
        made.append((playing(loaded, sink, batcher, seed), sink))
    before = time.process_time()
    for stream, _ in made:
        batcher.add(stream)
    for _, sink in made:
        sink.done.wait()
    used = time.process_time() - before
    batcher.close()
    return sum(stream.made_seconds for stream, _ in made), used


def playing(loaded: LoadedModel, sink: Unheard, batcher: Batcher, seed: int) -> Stream:
    """A stream of some ten seconds: three sentences, or two notes a second."""
    if loaded.model.manifest.speech is not None:
        speech = SpeechStream(loaded, Reading(" ".join(TEXTS), seed=seed), sink, batcher.wake, 1e6)
        speech.begin()
        return speech
    notes = NoteStream(loaded, sink, POLYPHONY, seed, 1e6)
    chance = random.Random(seed)
    for number in range(20):
        at = round(number * NOTE_SECONDS * notes.engine.sample_rate)
        note = notes.engine.note_on(chance.randrange(48, 72), at=at)
        note.off(at=at + round(NOTE_SECONDS * notes.engine.sample_rate))
    notes.end()
    return notes


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    models = ("english", "instrument")
    parser.add_argument("--model", choices=models, nargs="+", default=["english"], help="one or both")
    parser.add_argument("--streams", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--alone", type=int, default=0, metavar="N", help="also N processes of one listener each")
    parser.add_argument("--peer", choices=PEERS, action="append", default=[], help="also this system; repeatable")
    parser.add_argument("--work", action="store_true", help="processor seconds of a second of sound, without HTTP")
    given = parser.parse_args()
    if max(given.streams) > MOST_STREAMS or given.seconds > MOST_SECONDS or given.alone > 16:
        parser.error(f"at most {MOST_STREAMS} streams, {MOST_SECONDS} seconds and 16 processes")
    if given.peer and "english" not in given.model:
        parser.error("the other systems read text: give --model english as well")
    machine = describe_machine()
    busy = f"load {machine['load_average']:.1f} at the beginning" if machine["load_average"] is not None else ""
    print(f"{machine['cpu']}, {given.cores} of {machine['cores']} cores, {time.strftime('%Y-%m-%d')}, {busy}:\n")
    if given.work:
        print("| | streams | processor seconds a second of sound |\n|---|---|---|")
        for model in given.model:
            for streams in given.streams:
                seconds, used = work(model, streams)
                print(f"| {model} | {streams} | {used / seconds:.4f} |", flush=True)
        return
    print("| | streams | carried | first p50 / p99, ms | gaps | refused | sound, s | ", end="")
    print("processor s an audio hour | MB | MB a stream |\n" + "|---" * 10 + "|")
    for model in given.model:
        servers = {model: ours(model, given.cores)}
        servers |= {peer: theirs(peer, given.cores) for peer in given.peer if model == "english"}
        for streams in given.streams:
            for name, command in servers.items():
                report(name, streams, *served(command, model, streams, given.cores, given.seconds))
        if given.alone:
            seconds, used, memory = alone(model, given.alone, given.cores, given.seconds)
            row = [f"{model}, a process each", given.alone, *[""] * 4, f"{seconds:.0f}", f"{3600 * used / seconds:.0f}"]
            print(f"| {' | '.join(map(str, row))} | | {memory / given.alone:.0f} |", flush=True)


if __name__ == "__main__":
    main()
