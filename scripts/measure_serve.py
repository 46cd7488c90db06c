"""Measure how many streams `cmaudio serve` sustains in real time: `python scripts/measure_serve.py --streams 8 16 24`.

For each model and number of clients, a server is started on the loopback interface, on one processor or more (Linux).
Each client requests one text after another and plays it, or holds a web socket open and plays notes. A client starts
playback 0.1 s after its first audio; a chunk that arrives after it has run out of audio counts as a gap. A number of
streams is sustained if there are no gaps and no refusals, and the time to first audio is at most 0.3 s in 99 % of
requests. Also reported: processor seconds per hour of audio, memory of the process, and memory per stream. The table is
printed as Markdown, with machine and date. `--peer` measures other systems behind the same endpoint (`serve_peer.py`),
`--alone` the same audio from one process per client.

`--offline` measures the processor seconds per second of audio in one process, without HTTP and not paced to real time,
for each number of streams that are batched. Use it where other programs share the processors, since they affect the
times of a server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import quantiles
from typing import Any

from serve_listeners import TEXTS, Results, run_clients
from serve_offline import offline_cost
from serve_peer import PEERS

from cmaudio.errors import CmaudioError
from cmaudio.machine import describe_machine

FIRST_SECONDS = 0.3
MOST_STREAMS, MOST_SECONDS, MOST_PROCESSES = 256, 120, 16
WARM_UP_SECONDS = 4.0

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
    """Proportional set size: resident memory, with shared pages divided among their processes."""
    return int(re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[0]) / 1024


def measure_server(
    command: Sequence[str], model: str, clients: int, cores: int, seconds: float
) -> tuple[Results, float, float, float]:
    """Results of the clients, processor seconds of the server, and its memory in MB before and after.

    Raises CmaudioError if the server does not start.
    """
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **pinned(cores)
    ) as server:
        try:
            assert server.stdout is not None
            found = re.search(r":(\d+)/v1", server.stdout.readline())
            if found is None:
                raise CmaudioError(f"the server did not start; see `{' '.join(command[1:])}`")
            port = int(found[1])
            asyncio.run(run_clients(model, port, Results(), 1, WARM_UP_SECONDS))
            results, used, memory = Results(), processor_seconds(server.pid), memory_mb(server.pid)
            asyncio.run(run_clients(model, port, results, clients, seconds))
            return results, processor_seconds(server.pid) - used, memory, memory_mb(server.pid)
        finally:
            server.kill()


def cmaudio_server(model: str, cores: int) -> list[str]:
    """The command that serves a model of cmaudio."""
    command = [sys.executable, "-m", "cmaudio.cli", "serve", "--model", model, "--port", "0", "--workers", str(cores)]
    return [*command, "--lead", "1", "--client-streams", "1000", "--client-requests", "100000"]


def peer_server(peer: str, cores: int) -> list[str]:
    """The command that serves another system."""
    return [sys.executable, str(Path(__file__).with_name("serve_peer.py")), peer, "--workers", str(cores)]


def measure_processes(model: str, count: int, cores: int, seconds: float) -> tuple[float, float, float]:
    """Seconds of audio, processor seconds and MB of one process per client."""
    command = [sys.executable, "-c", ALONE, model, str(seconds), *TEXTS]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, **pinned(cores)) for _ in range(count)]
    try:
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
        before = [processor_seconds(process.pid) for process in running]
        time.sleep(seconds * 0.9)
        used = sum(processor_seconds(process.pid) - b for process, b in zip(running, before, strict=True))
        return seconds * 0.9 * count, used, sum(memory_mb(process.pid) for process in running)
    finally:
        for process in running:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)


def pinned(cores: int) -> dict[str, Any]:
    """Arguments of Popen for a process on the first processors."""
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    return {"preexec_fn": lambda: os.sched_setaffinity(0, chosen)}


def print_row(*cells: object) -> None:
    """A row of a Markdown table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def print_results(name: str, clients: int, results: Results, used: float, before: float, after: float) -> None:
    """The row of a server: `used` processor seconds, and its memory in MB `before` and `after`."""
    times = results.first_seconds
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else [float("nan")] * 99
    sustained = not results.gaps and not results.refused and cuts[98] <= FIRST_SECONDS
    first = f"{1000 * cuts[49]:.0f} / {1000 * cuts[98]:.0f}"
    cost = f"{3600 * used / max(results.audio_seconds, 1e-9):.0f}"
    counts = len(times), first, results.gaps, results.refused, f"{results.audio_seconds:.0f}"
    per_stream = f"{max(0.0, after - before) / clients:.2f}"
    print_row(name, clients, "yes" if sustained else "no", *counts, cost, f"{before:.0f}", per_stream)


def print_offline(models: Sequence[str], streams: Sequence[int]) -> None:
    """The table of `--offline`."""
    print("| | streams | processor seconds per second of audio |\n|---|---|---|")
    for model in models:
        for count in streams:
            audio_seconds, used = offline_cost(model, count)
            print_row(model, count, f"{used / audio_seconds:.4f}")


def print_servers(given: argparse.Namespace) -> None:
    """The table of servers. One that does not start has a row that says so, once."""
    columns = ["", "streams", "sustained", "requests", "first audio p50 / p99, ms", "gaps", "refused", "audio, s"]
    columns += ["processor s per audio hour", "MB", "MB per stream"]
    print_row(*columns)
    print_row(*["---"] * len(columns))
    for model in given.model:
        servers = {model: cmaudio_server(model, given.cores)}
        servers |= {peer: peer_server(peer, given.cores) for peer in given.peer if model == "english"}
        for clients in given.streams:
            for name, command in list(servers.items()):
                try:
                    measured = measure_server(command, model, clients, given.cores, given.seconds)
                except CmaudioError as error:
                    print_row(name, str(error), *[""] * (len(columns) - 2))
                    del servers[name]
                else:
                    print_results(name, clients, *measured)
        if given.alone:
            seconds, used, memory = measure_processes(model, given.alone, given.cores, given.seconds)
            cost = f"{3600 * used / seconds:.0f}"
            name = f"{model}, one process per client"
            print_row(name, given.alone, *[""] * 5, f"{seconds:.0f}", cost, "", f"{memory / given.alone:.0f}")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    models = ("english", "instrument")
    parser.add_argument("--model", choices=models, nargs="+", default=["english"], help="one or both")
    parser.add_argument("--streams", type=int, nargs="+", default=[4, 8, 16], help="numbers of clients")
    parser.add_argument("--cores", type=int, default=1, help="processors of each server")
    parser.add_argument("--seconds", type=float, default=60.0, help="duration of each measurement")
    parser.add_argument("--alone", type=int, default=0, metavar="N", help="also N processes of one client each")
    parser.add_argument("--peer", choices=PEERS, action="append", default=[], help="also this system; repeatable")
    parser.add_argument("--offline", action="store_true", help="cost of the synthesis alone, without a server")
    given = parser.parse_args()
    if max(given.streams) > MOST_STREAMS or given.seconds > MOST_SECONDS or given.alone > MOST_PROCESSES:
        parser.error(f"at most {MOST_STREAMS} streams, {MOST_SECONDS} seconds and {MOST_PROCESSES} processes")
    if given.peer and "english" not in given.model:
        parser.error("the other systems read text: give --model english as well")
    machine = describe_machine()
    load = "" if machine["load_average"] is None else f", load {machine['load_average']:.1f} at the start"
    cores = f"{given.cores} of {machine['cores']} cores"
    print(f"{machine['cpu']}, {cores}, {time.strftime('%Y-%m-%d')}{load}:\n")
    if given.offline:
        print_offline(given.model, given.streams)
    else:
        print_servers(given)


if __name__ == "__main__":
    main()
