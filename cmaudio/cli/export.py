"""`cmaudio export`. Heavy libraries are imported when the command runs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import typer

from cmaudio.cli.extras import requires_extra
from cmaudio.cli.terminal import errors
from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.model.file import Model, load_model


def export(
    run: Annotated[
        Path,
        typer.Argument(
            help="Run folder; with --hub, --figures, --card, --partials, --deviation, --motion, "
            "--correction, --vocoder or --map also a model file."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Model file (.cmaudio) to write.", show_default=False),
    ] = None,
    hub: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write in the format of the Hugging Face hub: the model file and its card.",
            show_default=False,
        ),
    ] = None,
    network: Annotated[
        Literal["student", "teacher"], typer.Option(help="Network to export; the teacher is for comparison.")
    ] = "student",
    weights: Annotated[
        Literal["float32", "int8"] | None,
        typer.Option(help="Precision of the weights; by default that of the configuration."),
    ] = None,
    partials: Annotated[
        Path | None,
        typer.Option(
            help="Corpus or model file with the partials of the timbres; by default the run's corpus.",
            show_default=False,
        ),
    ] = None,
    deviation: Annotated[
        Path | None,
        typer.Option(
            help="Corpus or model file with the pitch deviation of the timbres; by default the run's corpus.",
            show_default=False,
        ),
    ] = None,
    motion: Annotated[
        Path | None,
        typer.Option(
            help="Corpus of textures; adds the motion of its recordings (drops, swells, strikes) to a model file.",
            show_default=False,
        ),
    ] = None,
    correction: Annotated[
        Path | None,
        typer.Option(
            help="Corpus of notes beside which a model file's level and colour are measured and corrected; minutes.",
            show_default=False,
        ),
    ] = None,
    vocoder: Annotated[
        Path | None,
        typer.Option(help="Run folder whose vocoder replaces that of a model file.", show_default=False),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            help="Output of `cmaudio evaluate --json`, for the card of a model file; a run has it in its folder.",
            show_default=False,
        ),
    ] = None,
    card: Annotated[
        bool,
        typer.Option("--card", help="Add the content of a model file's card in machine-readable form (card.json)."),
    ] = False,
    timbre_map: Annotated[
        bool, typer.Option("--map", help="Compute the positions of a model file's timbres on the timbre map.")
    ] = False,
) -> None:
    """Write the model file of a run again: with other precision or partials, of its teacher, or with a new card.

    Of a model file, only the vocoder, timbre map, partials, pitch deviation, motion, corrections, figures and
    card.json can change. --hub writes a folder that the Hugging Face hub's tools upload and that --model plays.
    """
    with requires_extra("train"):
        from cmaudio.training.export.hub import write_hub_folder
        from cmaudio.training.export.packing import pack_run
    if output is None and hub is None:
        raise CmaudioError("nothing to write: give --output FILE, --hub FOLDER, or both")
    with TemporaryDirectory(prefix="cmaudio-") as scratch:
        target = output or Path(scratch) / "model.cmaudio"
        for_files = {"--motion": motion, "--correction": correction, "--vocoder": vocoder}
        if not run.is_dir():
            changes: dict[str, Path | bool | None] = {
                "figures": figures, "partials": partials, "deviation": deviation, "motion": motion,
                "correction": correction, "vocoder": vocoder, "map": timbre_map, "card": card,
            }  # fmt: skip
            if weights is not None or network != "student" or not (any(changes.values()) or hub):
                raise CmaudioError(
                    f"{run} is not a run folder: of a model file only figures, card, partials, deviation, "
                    "motion, correction, vocoder and map can change; give --figures, --card, --partials, --deviation, "
                    "--motion, --correction, --vocoder, --map or --hub alone"
                )
            model = _amended(load_model(run), target, changes, output)
        elif given := [name for name, value in for_files.items() if value is not None]:
            raise CmaudioError(f"{given[0]} is for a model file: export the run first, and give the file that it wrote")
        elif figures is not None:
            raise CmaudioError(f"--figures is for a model file: put {figures} into {run} as evaluation.json")
        else:
            model = pack_run(run, target, network=network, weights=weights, partials=partials, deviation=deviation)
        model = write_hub_folder(model, hub) if hub else model
    errors.print(f"{model.path}: {model.path.stat().st_size / 1e6:.1f} MB")


def _amended(model: Model, target: Path, changes: Mapping[str, Any], output: Path | None) -> Model:
    """The model with the requested changes, as a file of its own if anything changes or `output` is given."""
    from cmaudio.training.export.card import amend_card_data, amend_figures
    from cmaudio.training.export.correction import amend_correction
    from cmaudio.training.export.measured import amend_from
    from cmaudio.training.export.texture_motion import amend_motion
    from cmaudio.training.export.timbre_map import amend_places
    from cmaudio.training.export.vocoder import amend_vocoder

    model = amend_figures(model, target, changes["figures"]) if changes["figures"] else model
    model = amend_from(model, target, "partials", changes["partials"]) if changes["partials"] else model
    model = amend_from(model, target, "deviation", changes["deviation"]) if changes["deviation"] else model
    model = amend_motion(model, target, changes["motion"]) if changes["motion"] else model
    model = amend_vocoder(model, target, changes["vocoder"]) if changes["vocoder"] else model
    if changes["correction"]:
        model = amend_correction(model, target, changes["correction"], errors.print)
    model = amend_places(model, target) if changes["map"] else model
    model = amend_card_data(model, target) if changes["card"] else model
    if output is not None and model.path != output:
        with atomic_file(output) as part:
            shutil.copyfile(model.path, part)
    return model
