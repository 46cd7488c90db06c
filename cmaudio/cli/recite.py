"""`cmaudio recite`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from cmaudio.cli.cluster import Cluster, chosen_pool
from cmaudio.cli.options import VoiceName
from cmaudio.cli.terminal import console, progress_bar, warn_unspoken
from cmaudio.files.place import as_place
from cmaudio.offline.recite import recite as recite_lines
from cmaudio.offline.speak import DEFAULT_VOICE


def recite(
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="Text file in UTF-8, one utterance per line; or a URL.")
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FOLDER", help="Corpus folder, or a URL such as s3://bucket/corpus."),
    ],
    voice: VoiceName = DEFAULT_VOICE,
    speaker: Annotated[list[str] | None, typer.Option(help="Speaker; repeatable.")] = None,
    rate: Annotated[
        list[float] | None, typer.Option(help="Speaking rate, 0.25 to 4 times the normal one; repeatable.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many times to say each line, each with another seed.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
    cluster: Cluster = False,
) -> None:
    """Make a speech corpus from a text file, in LJSpeech layout with phoneme times."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with progress_bar(*columns) as bar:
        task = bar.add_task(as_place(source).name, total=None)
        unspoken = recite_lines(
            source,
            output,
            model=voice,
            timbres=speaker or (),
            rates=rate or (1.0,),
            seeds=seeds,
            pool=chosen_pool(workers, cluster),
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    warn_unspoken(f"{name}: {text}" for name, texts in unspoken.items() for text in texts)
    console.print(f"{output}: metadata.csv, phonemes.jsonl, wavs/")
