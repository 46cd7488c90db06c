"""Underruns on a real audio server while a Python thread hogs the interpreter lock."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from cmaudio.bench.jack import PERIOD_SAMPLES, SAMPLE_RATE, JackServer, jack_server, may_be_realtime, what_is_missing
from cmaudio.bench.live_process import LiveRun, Outcome
from cmaudio.model.file import Model
from cmaudio.output.player import LEAD_MS

VOICES = 4
LEADS_MS = (5.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0)
LEAD_TRIAL_S = 10.0
TURNS = 4  # synth, effects and silence alternate, so that all have the same background load


def measure_live(model: Model, seconds: float, on_progress: Callable[[str], None]) -> dict[str, Any]:
    """Underruns and late periods with a CPU hog, and the shortest output buffer without one, on a JACK dummy server.

    The server has real-time priority wherever the system grants it.

    Keys: `realtime`, `sample_rate`, `period_samples`, `voices`, `lead_ms`, `seconds`; `synth`, `effects` (the same with
    reverb, chorus and delay) and `silence` (the compiled callback that only writes silence), summed over their turns,
    each with `callbacks`, `underruns`, `underrun_samples`, `late_periods` (the server's xruns, of its own timer and of
    its client), `late_server`, `late_client`, `portaudio_underflows` (PortAudio's flags), `least_voices`, `load`;
    `late_ratio` (synth to silence); `least_lead_ms` (shortest output buffer without underruns; null if none was),
    `leads`: underruns of each length tried, 10 s each.
    Or `skipped`: the reason why nothing was measured.
    """
    missing = what_is_missing()
    if missing is not None:
        return {"skipped": missing}
    realtime = may_be_realtime()
    base = LiveRun("synth", str(model.path.resolve()), seconds / TURNS, LEAD_MS, VOICES, hog=True)
    try:
        with jack_server(realtime) as server:
            result = _against_silence(server, base, on_progress)
            leads = _leads(server, replace(base, seconds=LEAD_TRIAL_S, hog=False), on_progress)
    except TimeoutError as error:
        return {"skipped": str(error)}
    setting = {"sample_rate": SAMPLE_RATE, "period_samples": PERIOD_SAMPLES, "voices": VOICES, "lead_ms": LEAD_MS}
    least = next((float(lead) for lead, underruns in leads.items() if not underruns), None)
    return {"realtime": realtime, **setting, "seconds": seconds, **result, "least_lead_ms": least, "leads": leads}


def _against_silence(server: JackServer, base: LiveRun, on_progress: Callable[[str], None]) -> dict[str, Any]:
    turns: dict[str, list[dict[str, float]]] = {"synth": [], "effects": [], "silence": []}
    for piece in range(TURNS):
        on_progress(f"live: with a hog, turn {piece + 1} of {TURNS}")
        turns["synth"].append(_turn(server, base))
        turns["effects"].append(_turn(server, replace(base, effects=True)))
        turns["silence"].append(_turn(server, replace(base, who="silence", voices=0)))
    result: dict[str, Any] = {who: _sum(them) for who, them in turns.items()}
    late = {who: result[who]["late_periods"] for who in turns}
    return {**result, "late_ratio": late["synth"] / max(1, late["silence"])}


def _turn(server: JackServer, wanted: LiveRun) -> dict[str, float]:
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


def _leads(server: JackServer, base: LiveRun, on_progress: Callable[[str], None]) -> dict[str, int]:
    """Underruns at rising lengths of the output buffer, up to the first without any."""
    underruns: dict[str, int] = {}
    for lead_ms in LEADS_MS:
        on_progress(f"live: output buffer of {lead_ms:g} ms, without a hog")
        underruns[f"{lead_ms:g}"] = _play(server, replace(base, lead_ms=lead_ms)).underruns
        if not underruns[f"{lead_ms:g}"]:
            break
    return underruns


def _play(server: JackServer, wanted: LiveRun) -> Outcome:
    command = [sys.executable, "-m", "cmaudio.bench.live_process", json.dumps(asdict(wanted))]
    limit_s = wanted.seconds + 60
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=limit_s, check=False)
    if done.returncode:
        raise RuntimeError(f"the playing process failed: {done.stderr[-2000:]}")
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))
