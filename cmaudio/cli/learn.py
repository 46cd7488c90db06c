"""`cmaudio learn`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TimeElapsedColumn

from cmaudio.cli.terminal import console, errors, notice
from cmaudio.errors import CmaudioError
from cmaudio.learning.example import Kind
from cmaudio.learning.file import OWN_LICENCE, check_output, save_learned
from cmaudio.learning.learn import LearnedTimbre, learn_timbre
from cmaudio.model.file import load_model
from cmaudio.model.manifest import with_timbre
from cmaudio.synthesis.networks import Synthesizer


def learn(
    sounds: Annotated[
        list[Path],
        typer.Argument(help="Sound files, each a timbre, and folders, each with takes or notes of one timbre."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file (.cmaudio) to write.")],
    model: Annotated[
        str, typer.Option(help="Model to extend: textures; instrument for pitched sounds; or a model file.")
    ] = "textures",
    name: Annotated[
        str | None, typer.Option(help="Name of a single timbre; by default that of the file or folder.")
    ] = None,
    kind: Annotated[
        Kind, typer.Option(help="Whether the sound is endless or a one-shot; auto: detected from the sound.")
    ] = "auto",
    minutes: Annotated[
        float,
        typer.Option(
            help="Minutes to search for a better base timbre and (with cmaudio[train]) tune it; 0: no search."
        ),
    ] = 0.0,
    licence: Annotated[str, typer.Option(help="Licence of your sounds, for the card of the new file.")] = OWN_LICENCE,
) -> None:
    """Learn timbres from recordings, in seconds or minutes, and write a model file that includes them."""
    if name is not None and len(sounds) > 1:
        raise CmaudioError("--name is for a single timbre: give one file or folder, or omit --name")
    check_output(output)
    loaded = load_model(model)
    before = loaded
    networks, found = Synthesizer(loaded), list[LearnedTimbre]()
    for path in sounds:
        with _progress() as bar:
            task = bar.add_task(path.name, total=1.0, visible=minutes > 0, found="")
            learned = learn_timbre(
                loaded,
                path,
                name=name,
                kind=kind,
                minutes=minutes,
                on_progress=partial(_show, bar, task),
                synthesizer=networks.with_model(loaded),
            )
        _tell(learned)
        found.append(learned)
        loaded = replace(loaded, manifest=with_timbre(loaded.manifest, learned.timbre))
    written = save_learned(before, [learned.timbre for learned in found], output, licence)
    console.print(f"{output}: {len(written.timbres)} timbres, {output.stat().st_size / 1e6:.1f} MB")
    console.print(f"play: cmaudio live --model {output} --timbre {found[-1].timbre.name!r}")


def _progress() -> Progress:
    return Progress(
        "{task.description}", BarColumn(), TimeElapsedColumn(), "{task.fields[found]}", console=errors, transient=True
    )


def _show(bar: Progress, task: TaskID, share: float, found: str) -> None:
    bar.update(task, completed=share, found=found)


def _tell(learned: LearnedTimbre) -> None:
    for text in learned.notices:
        notice(text)
    pitch = "" if learned.key is None else f", pitch {learned.key:.1f}"
    kind = "goes on for ever" if learned.timbre.sustained else "ends"
    console.print(
        f"{learned.timbre.name}: {kind}{pitch}; nearest is {learned.nearest}, {learned.distance_db:g} dB away"
    )
