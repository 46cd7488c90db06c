"""The benchmark: all timing targets of cmaudio, measured in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from cmaudio.bench.effects import measure_effects
from cmaudio.bench.latency import measure_latency
from cmaudio.bench.live import measure_live
from cmaudio.bench.midi_timing import measure_performing
from cmaudio.bench.report import print_report
from cmaudio.bench.startup import measure_startup
from cmaudio.bench.targets import judge
from cmaudio.bench.teacher import measure_teacher
from cmaudio.bench.throughput import measure_throughput
from cmaudio.bench.training import measure_training
from cmaudio.errors import CmaudioError
from cmaudio.machine import describe_machine
from cmaudio.model.file import Model, load_model

__all__ = ["SECTIONS", "print_report", "run_bench"]

SECTIONS = ("latency", "throughput", "effects", "startup", "live", "performing", "teacher", "training")


def run_bench(
    *,
    model: Model | str = "instrument",
    live_seconds: float = 60.0,
    only: Sequence[str] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure this machine with a model. Takes about eight minutes; close other programs.

    Args:
        model: a loaded model, an embedded model's name, or a model file.
        live_seconds: length of the live section with a CPU hog; the runs with effects and with silence each take as
            long.
        only: names of `SECTIONS`; all by default.
        on_progress: called with the name of what is being measured.
    Returns:
        JSON values: `date` (UTC, ISO 8601), `cmaudio` (version), `model` (name), `machine` (see
        `describe_machine`), one key per section (see its `measure_...` function), `took_seconds`, and `met`: whether
        each metric with a target reaches it, by the metric's path, such as "latency.one_note.p99_ms".
    Raises:
        CmaudioError: an unknown section, a length that is not positive, or a model that cannot be loaded.
    """
    chosen = SECTIONS if only is None else tuple(only)
    unknown = sorted(set(chosen) - set(SECTIONS))
    if unknown:
        known = ", ".join(SECTIONS)
        raise CmaudioError(f"the benchmark has no {', '.join(map(repr, unknown))}: there are {known}")
    if not live_seconds > 0:
        raise CmaudioError(f"live_seconds must be positive, not {live_seconds!r}")
    loaded = model if isinstance(model, Model) else load_model(model)
    return _measure(loaded, live_seconds, chosen, on_progress or (lambda _: None))


def _measure(model: Model, live_seconds: float, chosen: Sequence[str], tell: Callable[[str], None]) -> dict[str, Any]:
    from cmaudio import __version__

    began_s = time.monotonic()
    result: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cmaudio": __version__,
        "model": model.manifest.name,
        "machine": describe_machine(),
    }
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "latency": lambda: measure_latency(model),
        "throughput": lambda: measure_throughput(model),
        "effects": lambda: measure_effects(model.manifest.sample_rate),
        "startup": lambda: measure_startup(model),
        "live": lambda: measure_live(model, live_seconds, tell),
        "performing": lambda: measure_performing(model, tell),
        "teacher": lambda: measure_teacher(model),
        "training": measure_training,
    }
    for section in SECTIONS:
        if section in chosen:
            tell(section)
            result[section] = measures[section]()
    return {**result, "took_seconds": time.monotonic() - began_s, "met": judge(result)}
