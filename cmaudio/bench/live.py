"""Playing through a real audio server while a Python thread hogs the interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from cmaudio.bench.jack import PERIOD_SAMPLES, SAMPLE_RATE, JackServer, jack_server, may_be_realtime, what_is_missing
from cmaudio.bench.performer import Outcome, Performance
from cmaudio.model.file import Model
from cmaudio.output.player import LEAD_MS

VOICES = 4
LEADS_MS = (5.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0)
LEAD_TRIAL_S = 10.0
PIECES = 4  # the synth's and the silence's turns, so that both meet the same weather on the machine


def measure_live(
    model: Model, seconds: float, on_progress: Callable[[str], None], realtime: bool | None = None
) -> dict[str, Any]:
    """Starved callbacks and late periods with a hog, and the least lead without one, on a JACK dummy server.

    The server has real-time priority if `realtime`, by default where the system grants it, as jackd has.

    Keys: `realtime`, `sample_rate`, `period_samples`, `voices`, `lead_ms`, `seconds`; `synth` and `silence` (the
    compiled callback that only writes silence), each the sum over its turns: `callbacks`, `starved_callbacks`,
    `missing_samples`, `late_periods` (the server's xruns: its own timer's plus its client's), `late_server`,
    `late_client`, `underflow_flags` (what PortAudio made of them), `least_voices`, `load`; `late_ratio` (synth to
    silence); `least_lead_ms` (null: none held), `leads`: the starved callbacks of each lead tried, over 10 s without
    the hog.
    Or `skipped`: why there is nothing of this.
    """
    missing = what_is_missing()
    if missing is not None:
        return {"skipped": missing}
    realtime = may_be_realtime() if realtime is None else realtime
    base = Performance("synth", str(model.path.resolve()), seconds / PIECES, LEAD_MS, VOICES, hog=True)
    try:
        with jack_server(realtime) as server:
            result = _against_silence(server, base, on_progress)
            leads = _leads(server, replace(base, seconds=LEAD_TRIAL_S, hog=False), on_progress)
    except TimeoutError as error:
        return {"skipped": str(error)}
    setting = {"sample_rate": SAMPLE_RATE, "period_samples": PERIOD_SAMPLES, "voices": VOICES, "lead_ms": LEAD_MS}
    least = next((float(lead) for lead, starved in leads.items() if not starved), None)
    return {"realtime": realtime, **setting, "seconds": seconds, **result, "least_lead_ms": least, "leads": leads}


def _against_silence(server: JackServer, base: Performance, on_progress: Callable[[str], None]) -> dict[str, Any]:
    turns: dict[str, list[dict[str, float]]] = {"synth": [], "silence": []}
    for piece in range(PIECES):
        on_progress(f"live: with a hog, turn {piece + 1} of {PIECES}")
        turns["synth"].append(_turn(server, base))
        turns["silence"].append(_turn(server, replace(base, who="silence", voices=0)))
    result: dict[str, Any] = {who: _sum(them) for who, them in turns.items()}
    late = {who: result[who]["late_periods"] for who in turns}
    return {**result, "late_ratio": late["synth"] / max(1, late["silence"])}


def _turn(server: JackServer, wanted: Performance) -> dict[str, float]:
    outcome = _play(server, wanted)
    late = [xrun.late for xrun in server.xruns(outcome.began_s, outcome.ended_s)]
    counts = {key: value for key, value in asdict(outcome).items() if key not in ("began_s", "ended_s")}
    sides = {"late_server": late.count("server"), "late_client": late.count("client")}
    return {**counts, "late_periods": len(late), **sides}


def _sum(turns: Sequence[dict[str, float]]) -> dict[str, float]:
    total = {key: sum(turn[key] for turn in turns) for key in turns[0]}
    return {
        **total,
        "least_voices": min(turn["least_voices"] for turn in turns),
        "load": total["load"] / len(turns),
    }


def _leads(server: JackServer, base: Performance, on_progress: Callable[[str], None]) -> dict[str, int]:
    """Starved callbacks at rising leads, up to the first that holds."""
    starved: dict[str, int] = {}
    for lead_ms in LEADS_MS:
        on_progress(f"live: a lead of {lead_ms:g} ms without a hog")
        starved[f"{lead_ms:g}"] = _play(server, replace(base, lead_ms=lead_ms)).starved_callbacks
        if not starved[f"{lead_ms:g}"]:
            break
    return starved


def _play(server: JackServer, wanted: Performance) -> Outcome:
    command = [sys.executable, "-m", "cmaudio.bench.performer", json.dumps(asdict(wanted))]
    limit_s = wanted.seconds + 60
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=limit_s, check=False)
    if done.returncode:
        raise RuntimeError(f"the process that should have played failed: {done.stderr[-2000:]}")
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))
