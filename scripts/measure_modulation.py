"""Measure the cost of modulation: CPU time of 16 held notes with routes, relative to the same notes without.

The variants alternate, so that other load on the machine affects all alike. Prints the table in scripts/README.md.
"""

from __future__ import annotations

import statistics
import time

from cmaudio.controls.controls import Controls
from cmaudio.controls.routes import RouteLike
from cmaudio.engine.engine import Engine

VOICES, SECONDS, ROUNDS = 16, 1.0, 3
KINDS: dict[str, list[RouteLike]] = {
    "no route": [],
    "one route, to brightness": [("lfo1", "brightness", 3)],
    "one route, to bend": [("lfo1", "bend", 0.3)],
    "one route, to gain": [("lfo1", "gain", -6)],
    "one route, to the place on the map": [("lfo2", "timbre_x", 0.3)],
    "eight routes": [
        ("lfo1", "brightness", 3),
        ("lfo1", "bend", 0.3),
        ("lfo2", "gain", -6),
        ("lfo2", "pan", 0.5),
        ("velocity", "resonance", 0.5),
        ("pressure", "vibrato", 0.5),
        ("envelope", "brightness", 3),
        ("wheel", "brightness", 3),
    ],
}


def playing(routes: list[RouteLike]) -> Engine:
    """An engine with held notes, a quarter of a second after their onset."""
    engine = Engine(seed=1, batch_ahead_samples=1024)
    Controls(engine).set_routes(routes, at=0)
    for i in range(VOICES):
        engine.note_on(40 + 2 * i, 90, timbre="church organ", at=0)
    engine.read(engine.sample_rate // 4)
    return engine


def main() -> None:
    engines = {name: playing(routes) for name, routes in KINDS.items()}
    times: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            began = time.process_time()
            engine.read(round(SECONDS * engine.sample_rate))
            times[name].append((time.process_time() - began) / SECONDS)
    plain = statistics.median(times["no route"])
    print("| routes | load, 16 voices | relative to none |\n|---|---|---|")
    for name, measured in times.items():
        load = statistics.median(measured)
        print(f"| {name} | {load:.2f} | {load / plain:.2f} |")


if __name__ == "__main__":
    main()
