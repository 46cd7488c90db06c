"""`cmaudio train`. Heavy libraries are imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.extras import requires_extra
from cmaudio.cli.terminal import errors
from cmaudio.files.place import as_place


def train(
    config: Annotated[Path, typer.Argument(help="Configuration file (.yaml); see `configs/`.")],
    corpus: Annotated[
        str, typer.Option(metavar="FOLDER", help="Corpus folder written by `cmaudio prepare`, or its URL.")
    ],
    run: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Run folder, or a URL such as s3://bucket/run; an existing run is resumed.",
            show_default=False,
        ),
    ],
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a value of the configuration: section.key=value; repeatable."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            help="Stop after this stage: aligner, prior, teacher, student, vocoder, vocoder_tuning, joint or prosody."
        ),
    ] = None,
    estimate_first: Annotated[
        bool, typer.Option("--estimate/--no-estimate", help="First print how much memory and time each stage takes.")
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the estimate only; train and write nothing.")
    ] = False,
) -> None:
    """Train a model and write its file. Re-run the command to resume."""
    with requires_extra("train"):
        from cmaudio.training.config import read_config
        from cmaudio.training.export.graphs import check_exportable
        from cmaudio.training.export.packing import pack_run
        from cmaudio.training.run.run_files import RunFiles
        from cmaudio.training.run.train import train as train_run

    settings = read_config(config, override or ())
    files, data = RunFiles(as_place(run)), as_place(corpus)
    check_exportable(settings, data)
    main_process = train_run(settings, data, files, errors, until, estimate_first=estimate_first, dry_run=dry_run)
    if main_process and until is None and not dry_run:
        model = pack_run(files.folder, files.folder / f"{settings.name}.cmaudio")
        files.publish()
        size = model.path.stat().st_size / 1e6
        errors.print(f"{model.path}: {size:.1f} MB; try `cmaudio play --model {model.path}`")
