"""The commands of the training half: train, export. Heavy libraries are imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.terminal import errors
from cmaudio.errors import CmaudioError

RunFolder = Annotated[Path, typer.Argument(help="Folder of a run.")]


def train(
    config: Annotated[Path, typer.Argument(help="Configuration (.yaml); `configs/` has presets.")],
    corpus: Annotated[Path, typer.Option(help="Folder that `cmaudio prepare` made.")],
    run: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run; one that exists is gone on with.")],
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="section.key=value instead of the configuration's; may be repeated."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last stage to train: teacher, student, vocoder, vocoder_tuning or joint.")
    ] = None,
) -> None:
    """Train teacher, student and vocoder, and write the model file. The same command goes on where it ended."""
    with wanting_extra():
        from cmaudio.training.config import read_config
        from cmaudio.training.export.packing import pack_run
        from cmaudio.training.run.run import train as train_run

    settings = read_config(config, override or ())
    main_process = train_run(settings, corpus, run, errors, until)
    if main_process and until is None:
        model = pack_run(run, run / f"{settings.name}.cmaudio")
        errors.print(f"{model.path}: {model.path.stat().st_size / 1e6:.1f} MB; try `cmaudio play --model {model.path}`")


def export(
    run: RunFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file (.cmaudio) to write.")],
    network: Annotated[str, typer.Option(help="student, or teacher to compare with.")] = "student",
    weights: Annotated[str | None, typer.Option(help="float32 or int8 instead of the configuration's.")] = None,
) -> None:
    """Write the model file of a run again, e.g. in 8 bit or of the teacher, with a card from its figures."""
    if network not in ("student", "teacher"):
        raise CmaudioError(f"--network must be student or teacher, not {network!r}")
    if weights not in (None, "float32", "int8"):
        raise CmaudioError(f"--weights must be float32 or int8, not {weights!r}")
    with wanting_extra():
        from cmaudio.training.export.packing import pack_run

    model = pack_run(run, output, network=network, weights=weights)
    errors.print(f"{model.path}: {model.path.stat().st_size / 1e6:.1f} MB")


class wanting_extra:
    """Turns a missing package of the training half into what to install."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ModuleNotFoundError):
            raise CmaudioError(
                f"{error.name} is missing, which training needs: pip install 'cmaudio[train]'"
            ) from error
