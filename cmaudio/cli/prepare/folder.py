"""`cmaudio prepare folder`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cmaudio.cli.cluster import Cluster
from cmaudio.cli.extras import requires_extra
from cmaudio.cli.prepare import corpus
from cmaudio.files.place import as_place

if TYPE_CHECKING:
    from cmaudio.training.corpus.description import SignalDefinition


def folder(
    directory: Annotated[Path, typer.Argument(help="Folder of sound files; subfolders are searched too.")],
    output: corpus.Output,
    labels: Annotated[
        Literal["folder", "name", "none"],
        typer.Option(help="What names the timbre of a file: its folder, its own name, or nothing (one timbre)."),
    ] = "folder",
    pitched: Annotated[
        Literal["auto", "yes", "no"],
        typer.Option(help="Whether recordings have a pitch to condition on; auto: where one is detected."),
    ] = "auto",
    table: Annotated[
        Path | None,
        typer.Option(help="CSV table of the files to use (timbre, kind, file, licence, author), for textures."),
    ] = None,
    piece_seconds: Annotated[
        float, typer.Option(help="Longer files are cut into pieces of at most this many seconds.")
    ] = 10.0,
    held_out: Annotated[float, typer.Option(min=0, max=0.5, help="Share of files held out for evaluation.")] = 0.05,
    gain_db: Annotated[
        float | None, typer.Option(help="Gain in dB; by default the loudest sounds are brought to -12 dB.")
    ] = None,
    seed: corpus.Seed = 1,
    workers: corpus.Workers = corpus.CORES,
    cluster: Cluster = False,
    sample_rate: corpus.SampleRate = 48_000,
    hop_length: corpus.HopLength = None,
    bands: corpus.Bands = 128,
    licence: corpus.Licence = "not stated",
) -> None:
    """A folder of recordings: one-shots, loops, textures, instruments."""
    definition = corpus.define_signal(sample_rate, hop_length, bands)
    if table is not None:
        _textures(directory, output, table, piece_seconds, seed, definition, workers, cluster)
        return
    with requires_extra("train"):
        from cmaudio.training.prepare.folder import FolderSource
    source = FolderSource(
        directory,
        labels=labels,
        pitched=pitched,
        piece_seconds=piece_seconds,
        held_out=held_out,
        seed=seed,
        gain_db=gain_db,
        licence=licence,
    )
    corpus.write_with_progress(output, source, definition, workers, cluster)


def _textures(
    directory: Path,
    output: str,
    table: Path,
    piece_seconds: float,
    seed: int,
    definition: SignalDefinition,
    workers: int,
    cluster: bool,
) -> None:
    with requires_extra("train"):
        from cmaudio.training.prepare.texture_scales import write_scales
        from cmaudio.training.prepare.textures import TextureSource
    source = TextureSource(directory, table, piece_seconds=piece_seconds, seed=seed)
    corpus.write_with_progress(output, source, definition, workers, cluster)
    write_scales(as_place(output), source.credits)
