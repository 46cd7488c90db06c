"""Measure how many streams `cmaudio serve` carries in real time: `python scripts/measure_serve.py --streams 8 16 24`.

For each number of listeners a server is started on the loopback interface, on one processor or more (Linux). So many
listeners ask it for one sound after the other, each as long as a sentence or two, or hold a web socket on which notes
are played. A listener begins to play 0.1 s after its first sound; from then on, sound that comes later than it is due
is a gap. A number is carried where there is no gap, nothing is refused, and the first sound comes within 0.3 s in 99 of
100 cases. `--alone` measures the same sound made by one process a listener.

`--work` measures instead the processor seconds that a second of sound takes in one process, without HTTP and as fast as
it goes, for each number of streams that share evaluations: on a machine that others use, times say little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from websockets.asyncio.client import connect

from cmaudio.engine.engine import Engine
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.serve.batcher import Batcher
from cmaudio.serve.notes import NoteStream
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.serve.stream import Stream

TEXTS = (
    "The train to the coast leaves at half past nine, from platform four.",
    "Could you tell me where the nearest library is? I have to return three books today.",
    "It rained all night, but in the morning the sky was clear, and the streets were almost dry.",
)
BUFFER_SECONDS, FIRST_SECONDS = 0.1, 0.3
POLYPHONY, NOTE_SECONDS = 4, 0.5
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


@dataclass
class Heard:
    """What the listeners of one run noticed: seconds to first sounds, gaps, refusals, and seconds of sound."""

    first: list[float] = field(default_factory=list)
    gaps: int = 0
    refused: int = 0
    seconds: float = 0.0

    def play(self, arrived: float, began: float, before: float, length: float) -> None:
        """Sound of `length` seconds arrived; `before` seconds came since the first sound at `began`."""
        self.gaps += arrived > began + BUFFER_SECONDS + before
        self.seconds += length


async def listen(port: int, heard: Heard, until: float, seed: int) -> None:
    """Ask for one text after the other."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, 3))
    while time.monotonic() < until:
        body = json.dumps({"model": "english", "input": chance.choice(TEXTS), "response_format": "pcm", "seed": seed})
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = time.monotonic()
        head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.split(b"\r\n")[0]:
            heard.refused += 1
            await asyncio.sleep(1)
        else:
            await _hear(reader, heard, asked)
        writer.close()


async def _hear(reader: asyncio.StreamReader, heard: Heard, asked: float) -> None:
    """Take a sound as it comes, and wait until it has been played."""
    began = before = 0.0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        now = time.monotonic()
        if not began:
            began = now
            heard.first.append(now - asked)
        heard.play(now, began, before, size / 48_000)
        before += size / 48_000
    await asyncio.sleep(max(0.0, began + BUFFER_SECONDS + before - time.monotonic()))


async def play(port: int, heard: Heard, until: float, seed: int) -> None:
    """Hold a web socket, and play two notes a second."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, 3))
    asked = time.monotonic()
    async with connect(f"ws://127.0.0.1:{port}/v1/audio/stream", open_timeout=30) as socket:
        start = {"type": "start", "model": "instrument", "polyphony": POLYPHONY, "lead_ms": 150}
        await socket.send(json.dumps(start))
        if json.loads(await socket.recv())["type"] != "started":
            heard.refused += 1
            return
        began = before = 0.0
        number = 0
        while (now := time.monotonic()) < until:
            if began and number <= (now - began) / NOTE_SECONDS:
                number += 1
                note = {"type": "note_on", "id": number, "pitch": chance.randrange(48, 72), "velocity": 90}
                await socket.send(json.dumps(note))
                if number > 1:
                    await socket.send(json.dumps({"type": "note_off", "id": number - 1}))
            data = await socket.recv()
            if isinstance(data, bytes):
                now = time.monotonic()
                if not began:
                    began = now
                    heard.first.append(now - asked)
                heard.play(now, began, before, len(data) / 192_000)
                before += len(data) / 192_000


def processor_seconds(pid: int) -> float:
    """Of a process with its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident, shared pages counted in part."""
    return int(re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[0]) / 1024


def served(model: str, streams: int, cores: int, seconds: float) -> tuple[Heard, float, float]:
    """What is heard of a server, its processor seconds and MB."""
    command = [sys.executable, "-m", "cmaudio.cli", "serve", "--model", model, "--port", "0", "--workers", str(cores)]
    command += ["--lead", "1", "--client-streams", "1000", "--client-requests", "100000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **pinned(cores)
    ) as server:
        try:
            assert server.stdout is not None
            greeting = server.stdout.readline()
            found = re.search(r":(\d+)/v1", greeting)
            if found is None:
                sys.exit("the server did not start; try `cmaudio serve` alone")
            heard, before = Heard(), processor_seconds(server.pid)
            asyncio.run(crowd(model, int(found[1]), heard, streams, seconds))
            return heard, processor_seconds(server.pid) - before, memory_mb(server.pid)
        finally:
            server.kill()


async def crowd(model: str, port: int, heard: Heard, streams: int, seconds: float) -> None:
    """All listeners."""
    one = listen if model == "english" else play
    until = time.monotonic() + seconds
    await asyncio.gather(*(one(port, heard, until, seed) for seed in range(streams)))


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


def report(name: str, streams: int, heard: Heard, used: float, memory: float) -> None:
    """One row of a table."""
    cuts = quantiles(heard.first, n=100) if len(heard.first) > 1 else [float("nan")] * 99
    carried = not heard.gaps and not heard.refused and cuts[98] <= FIRST_SECONDS
    row = [name, streams, "yes" if carried else "no", f"{1000 * cuts[49]:.0f} / {1000 * cuts[98]:.0f}", heard.gaps]
    row += [heard.refused, f"{heard.seconds:.0f}", f"{used / max(heard.seconds, 1e-9):.3f}", f"{memory:.0f}"]
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
    parser.add_argument("--model", choices=("english", "instrument"), default="english")
    parser.add_argument("--streams", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--alone", type=int, default=0, metavar="N", help="also N processes of one listener each")
    parser.add_argument("--work", action="store_true", help="processor seconds of a second of sound, without HTTP")
    given = parser.parse_args()
    if max(given.streams) > MOST_STREAMS or given.seconds > MOST_SECONDS or given.alone > 16:
        parser.error(f"at most {MOST_STREAMS} streams, {MOST_SECONDS} seconds and 16 processes")
    if given.work:
        for streams in given.streams:
            seconds, used = work(given.model, streams)
            print(f"{streams} streams: {used / seconds:.4f} processor seconds a second of sound", flush=True)
        return
    print("| | streams | carried | first p50 / p99, ms | gaps | refused | sound, s | processor s / s | MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for streams in given.streams:
        report(f"one server, {given.cores} cores", streams, *served(given.model, streams, given.cores, given.seconds))
    if given.alone:
        seconds, used, memory = alone(given.model, given.alone, given.cores, given.seconds)
        print(f"| processes | {given.alone} | | | | | {seconds:.0f} | {used / seconds:.3f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
