"""Time from the start of a new process to its first sound, and its memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from cmaudio.bench.jack import jack_server, what_is_missing
from cmaudio.model.file import Model

RUNS = 3
# Arguments: model file, time.monotonic() when the process was started.
_SOUND_CARD = """
import sys, time
import cmaudio
synth = cmaudio.open(sys.argv[1])
notes = [synth.note_on(60)]
while not synth.player.take_peak():
    time.sleep(0.001)
took_s = time.monotonic() - float(sys.argv[2])
notes += [synth.note_on(pitch) for pitch in (64, 67, 72)]
synth.wait(3)
"""
_ENGINE = """
import sys, time
import cmaudio
engine = cmaudio.Engine(cmaudio.load_model(sys.argv[1]))
engine.warm_up()
engine.note_on(60)
engine.read(64 + engine.latency_samples)
took_s = time.monotonic() - float(sys.argv[2])
for pitch in (64, 67, 72):
    engine.note_on(pitch)
for _ in range(3 * engine.sample_rate // 256):
    engine.read(256)
"""
_MEMORY = """
import json, pathlib
status = pathlib.Path("/proc/self/status")
lines = dict(line.split(":", 1) for line in status.read_text().splitlines()) if status.exists() else {}
peak, private, files = (
    int(lines[key].split()[0]) * 1024 / 1e6 if key in lines else None for key in ("VmHWM", "RssAnon", "RssFile")
)
own = None if private is None or files is None else private + files
print(json.dumps({"took_s": took_s, "peak_mb": peak, "own_mb": own}), flush=True)
"""


def measure_startup(model: Model) -> dict[str, Any]:
    """Medians over new processes, with files in the disk cache.

    Keys: `output` ("JACK dummy server": until the first non-zero sample that `cmaudio.open` hands to the sound card;
    "engine alone": until the first onset sample leaves the engine), `first_sound_s` since before the process was
    started, `runs_s`, and memory after 3 s with 4 voices (null where the system does not report it): `peak_mb`
    resident, including the segment that a JACK server shares with its clients, and `own_mb` without it.
    """
    if what_is_missing() is None:
        try:
            with jack_server() as server:
                return {"output": "JACK dummy server", **_medians(_SOUND_CARD, model, server.environment)}
        except TimeoutError:
            pass
    return {"output": "engine alone", **_medians(_ENGINE, model, os.environ)}


def _medians(script: str, model: Model, environment: Mapping[str, str]) -> dict[str, Any]:
    found = [_run(script + _MEMORY, model, environment) for _ in range(RUNS + 1)][1:]  # the first fills the disk cache
    runs_s = [run["took_s"] for run in found]
    result: dict[str, Any] = {"first_sound_s": statistics.median(runs_s), "runs_s": runs_s}
    for key in ("peak_mb", "own_mb"):
        values = [run[key] for run in found if run[key] is not None]
        result[key] = statistics.median(values) if values else None
    return result


def _run(script: str, model: Model, environment: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-c", script, str(model.path.resolve()), str(time.monotonic())]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"the process that starts cmaudio failed: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
