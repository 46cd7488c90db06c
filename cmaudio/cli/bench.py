"""`cmaudio bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from cmaudio.cli.options import Json, ModelName
from cmaudio.cli.terminal import console, errors, to_json
from cmaudio.model.file import DEFAULT_MODEL

SECTIONS = "latency, throughput, effects, startup, live, performing, teacher, training"


def bench(
    model: ModelName = DEFAULT_MODEL,
    live_seconds: Annotated[float, typer.Option(help="Length of the live run in seconds.")] = 60.0,
    only: Annotated[list[str] | None, typer.Option(help=f"Run only this section ({SECTIONS}); repeatable.")] = None,
    as_json: Json = False,
) -> None:
    """Measure latency, load, start-up, a live run and MIDI timing on this machine."""
    from cmaudio.bench import print_report, run_bench

    result = run_bench(model=model, live_seconds=live_seconds, only=only, on_progress=errors.print)
    if as_json:
        print(to_json(result))
    else:
        print_report(result, console)
