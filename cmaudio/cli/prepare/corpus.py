"""Shared by all kinds of corpora: options, signal definition, and writing with a progress bar."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cmaudio.cli.cluster import chosen_pool
from cmaudio.cli.extras import requires_extra
from cmaudio.cli.terminal import console, progress_bar
from cmaudio.errors import CmaudioError
from cmaudio.files.place import as_place

if TYPE_CHECKING:
    from cmaudio.training.corpus.description import SignalDefinition
    from cmaudio.training.prepare.source import Source

FRAME_RATE_HZ = 93.75
CORES = os.cpu_count() or 1

Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Corpus folder, or a URL such as s3://bucket/corpus; an unfinished one is resumed.",
        show_default=False,
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="Number of parallel processes.")]
SampleRate = Annotated[int, typer.Option(help="Sample rate in Hz of the corpus and of models trained on it.")]
HopLength = Annotated[
    int | None, typer.Option(help="Samples per frame; by default the number nearest to 93.75 frames per second.")
]
Bands = Annotated[int, typer.Option(help="Number of mel bands.")]
Seed = Annotated[int, typer.Option(min=0, help="Random seed.")]
Licence = Annotated[str, typer.Option(help="Licence of the recordings; the model card quotes it.")]


def define_signal(sample_rate: int, hop_length: int | None, bands: int) -> SignalDefinition:
    """The corpus's sample rate, hop and mel bands; by default an even hop length near 93.75 Hz.

    Raises CmaudioError for values outside their ranges.
    """
    from pydantic import ValidationError

    from cmaudio.training.corpus.description import SignalDefinition

    hop = hop_length or 2 * round(sample_rate / FRAME_RATE_HZ / 2)
    f_max_hz = min(24_000.0, sample_rate / 2)
    try:
        return SignalDefinition(sample_rate=sample_rate, hop_length=hop, bands=bands, f_max_hz=f_max_hz)
    except ValidationError as error:
        first = error.errors()[0]
        raise CmaudioError(f"{'.'.join(map(str, first['loc'])) or 'signal'}: {first['msg']}") from error


def write_with_progress(
    output: str, source: Source[Any], definition: SignalDefinition, workers: int, cluster: bool
) -> None:
    """Write the corpus with a progress bar, then its picture, and print its summary."""
    folder = as_place(output)
    with requires_extra("train"):
        from cmaudio.training.prepare.partials import write_partials
        from cmaudio.training.prepare.summary import draw_summary, print_summary
        from cmaudio.training.prepare.writer import write_corpus

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rate]:.1f} clips/s, left"),
            TimeRemainingColumn(),
        )
        with progress_bar(*columns) as bar:
            task = bar.add_task(source.name, total=None, rate=0.0)

            def show(progress: Any) -> None:
                elapsed = bar.tasks[0].elapsed or 0
                rate = progress.clips / elapsed if elapsed else 0.0
                bar.update(task, total=progress.of_items, completed=progress.items, rate=rate)

            description, outcomes = write_corpus(
                folder, source, definition, pool=chosen_pool(workers, cluster), on_progress=show
            )
        if source.kind == "folder":  # a SoundFont's timbres are measured on notes rendered for that
            description = write_partials(folder)
        draw_summary(folder, description, outcomes)
    print_summary(description, outcomes, console)
    console.print(f"{output}: corpus.json, report.json, summary.png")
