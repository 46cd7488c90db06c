"""`cmaudio export`. Heavy libraries are imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cmaudio.cli.extras import requires_extra
from cmaudio.cli.terminal import errors
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model


def export(
    run: Annotated[
        Path, typer.Argument(help="Run folder; with --partials, --deviation, --events or --map a model file.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file (.cmaudio) to write.")],
    network: Annotated[
        Literal["student", "teacher"], typer.Option(help="Network to pack; the teacher is for comparison.")
    ] = "student",
    weights: Annotated[
        Literal["float32", "int8"] | None,
        typer.Option(help="Precision of the weights; the configuration's by default."),
    ] = None,
    partials: Annotated[
        Path | None,
        typer.Option(
            help="Corpus or model file that says where the timbres' partials lie; the run's corpus by default.",
            show_default=False,
        ),
    ] = None,
    deviation: Annotated[
        Path | None,
        typer.Option(
            help="Corpus or model file that says how the timbres' pitch deviates; the run's corpus by default.",
            show_default=False,
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            help="Corpus of textures whose single events (ticks, strokes, crackles) a model file of textures gets.",
            show_default=False,
        ),
    ] = None,
    timbre_map: Annotated[
        bool, typer.Option("--map", help="Place a model file's timbres on the map by what they sound like.")
    ] = False,
) -> None:
    """Write the model file of a run again: with other precision or partials, of its teacher, or with a new card.

    Of a model file, only where its timbres lie on the map, their partials, how their pitch deviates and their events
    can change.
    """
    with requires_extra("train"):
        from cmaudio.training.export.measured import amend, amend_from
        from cmaudio.training.export.packing import pack_run
        from cmaudio.training.export.texture_events import measured_events
        from cmaudio.training.export.timbre_places import amend_places

    if run.is_file():
        if not (partials or deviation or events or timbre_map) or weights is not None or network != "student":
            raise CmaudioError(
                f"{run} is a file: of a model file only partials, deviation, events and map can change; give "
                "--partials, --deviation, --events or --map alone"
            )
        model = load_model(run)
        model = amend_from(model, output, "partials", partials) if partials else model
        model = amend_from(model, output, "deviation", deviation) if deviation else model
        model = amend(model, output, "events", measured_events(model, events)) if events else model
        model = amend_places(model, output) if timbre_map else model
    elif events:
        raise CmaudioError("--events is for a model file: export the run first, and give the file that it wrote")
    else:
        model = pack_run(run, output, network=network, weights=weights, partials=partials, deviation=deviation)
    errors.print(f"{model.path}: {model.path.stat().st_size / 1e6:.1f} MB")
