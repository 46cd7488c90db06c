"""Feed damaged input to every parser: it may raise only CmaudioError, and must take little time and memory.

    python scripts/fuzz.py --cases 100000
    python scripts/fuzz.py --only midi --only osc --seed 7
    python scripts/fuzz.py --replay fuzz-failures/midi-7-1234

A case depends only on parser, seed and number. Failing cases are printed and saved. Needs a POSIX system.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import NoReturn

from fuzz_parsers import PARSERS

import cmaudio
from cmaudio.errors import CmaudioError

LIMIT_SECONDS = 1.0  # of CPU time, so that other load on the machine does not matter
GROWTH_MB = 200
_USUAL_BYTES = 4000  # the limit grows in proportion for larger inputs


class Hang(BaseException):
    """The time limit was exceeded. Not an Exception, so that no parser catches it."""


def case(name: str, seed: int, number: int) -> bytes:
    """The input of one case."""
    chance, parser = random.Random(f"{name} {seed} {number}"), PARSERS[name]
    data = bytearray(chance.choice(_seeds(name)))
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 2, 4, 16, 200)))
        match chance.randrange(6):
            case 0:
                data[at:end] = chance.randbytes(end - at)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * chance.choice((1, 2, 50))
            case 3 if parser.tokens:
                data[at:at] = chance.choice(parser.tokens) * chance.choice((1, 1, 2, 20))
            case 4 if chance.randrange(4) == 0:
                del data[at:]
            case _ if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
    return bytes(data)


@cache
def _seeds(name: str) -> list[bytes]:
    return PARSERS[name].seeds()


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> NoReturn:
        raise Hang(f"not done after {seconds:g} s of CPU time")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def failure(name: str, data: bytes, seconds: float = LIMIT_SECONDS, is_valid: bool = False) -> str:
    """The problem of a parser with an input, which it may refuse unless `is_valid`; "" if there is none."""
    try:
        with _limited(seconds * max(1, len(data) / _USUAL_BYTES)):
            PARSERS[name].read(data)
    except CmaudioError as error:
        return f"refused: {error}" if is_valid else ""
    except (Exception, Hang):
        return traceback.format_exc(limit=-4)
    return ""


def fuzz(name: str, seed: int, cases: int, folder: Path, first: int = 0) -> int:
    """Run the cases of one parser; returns how many failed."""
    for data in _seeds(name):
        if problem := failure(name, data, 60, is_valid=True):  # the first calls also import and load things
            print(f"{name}: a valid input fails\n{problem}")
    began, before, failed, slowest = time.process_time(), _peak_mb(), 0, 0.0
    for number in range(first, first + cases):
        data, start = case(name, seed, number), time.process_time()
        problem = failure(name, data)
        slowest = max(slowest, time.process_time() - start)
        if not problem and _peak_mb() - before > GROWTH_MB:
            problem, before = f"memory grew by more than {GROWTH_MB} MB", _peak_mb()
        if problem:
            failed += 1
            folder.mkdir(exist_ok=True)
            path = folder / f"{name}-{seed}-{number}"
            path.write_bytes(data)
            print(f"{name}, seed {seed}, case {number}: {path}\n{problem}", flush=True)
    grown, spent = _peak_mb() - before, time.process_time() - began
    print(f"{name}: {cases} cases, {failed} failed, slowest {slowest:.2f} s, {grown} MB, {spent:.0f} s", flush=True)
    return failed


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Fuzz the parsers of cmaudio {cmaudio.__version__}.")
    parser.add_argument("--cases", type=int, default=1000, help="cases for each parser")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", action="append", choices=PARSERS, help="only this parser; repeatable")
    parser.add_argument("--seed", type=int, default=0, help="seed of the cases")
    parser.add_argument("--output", type=Path, default=Path("fuzz-failures"), help="folder for failing cases")
    parser.add_argument("--replay", type=Path, help="run one saved case")
    options = parser.parse_args()
    if options.replay:
        print(problem := failure(options.replay.name.split("-")[0], options.replay.read_bytes(), 60))
        sys.exit(bool(problem))
    names = options.only or list(PARSERS)
    failed = sum(fuzz(name, options.seed, options.cases, options.output, options.first) for name in names)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
