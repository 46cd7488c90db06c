"""`cmaudio compare`. Heavy libraries are imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.extras import requires_extra
from cmaudio.cli.options import Json
from cmaudio.cli.terminal import console, errors, to_json


def compare(
    config: Annotated[Path, typer.Argument(help="Configuration of the comparison; see `configs/objectives.yaml`.")],
    corpus: Annotated[Path, typer.Option(help="Corpus folder written by `cmaudio prepare`.")],
    folder: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for the runs; an existing one is resumed.", show_default=False),
    ],
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a value of the configuration: section.key=value; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train students that differ only in their objective, and compare them on held-out clips."""
    with requires_extra("train"):
        from cmaudio.evaluation.objectives import compare_objectives, print_comparison
        from cmaudio.training.config import ComparisonConfig, read_strict

    settings = read_strict(config, ComparisonConfig, override or ())
    result = compare_objectives(settings, corpus, folder, errors)
    if as_json:
        print(to_json(result))
    else:
        print_comparison(result, console)
