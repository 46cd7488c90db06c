"""`cmaudio render`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

from cmaudio.cli import options
from cmaudio.cli.settings import PieceSettings, piece_settings, read_score
from cmaudio.cli.terminal import console, notice, progress_bar
from cmaudio.files.names import unused_path
from cmaudio.model.file import DEFAULT_MODEL, Model, load_model
from cmaudio.offline.render import OFFLINE_POLYPHONY, TAIL_SECONDS
from cmaudio.offline.render import render as render_score
from cmaudio.score.arrangement import Missing
from cmaudio.score.events import Score


def render(
    song: Annotated[Path | None, typer.Argument(help="MIDI file; a short built-in piece by default.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Sound file to write: .wav, .flac, .ogg, .opus or .mp3; by default a new out.wav."
        ),
    ] = None,
    model: options.ModelName = DEFAULT_MODEL,
    timbre: options.TimbreName = None,
    seed: options.Seed = None,
    steps: options.Steps = None,
    tail: Annotated[float, typer.Option(help="Maximum seconds to wait for the last notes to decay.")] = TAIL_SECONDS,
    gain: options.Gain = None,
    polyphony: options.Polyphony = OFFLINE_POLYPHONY,
    missing: options.MissingPrograms = "nearest",
    percussion: options.MissingDrums = "omit",
    preset: options.PresetName = None,
    impulse_response: options.ImpulseResponse = None,
    channels: options.Channels = None,
    controls: options.ControlValues = None,
    stems: Annotated[Path | None, typer.Option(help="Also write each part to its own file in this folder.")] = None,
) -> None:
    """Render a MIDI file to a sound file, faster than real time."""
    settings = piece_settings(
        preset,
        model,
        timbre=timbre,
        seed=seed,
        steps=steps,
        gain_db=gain,
        controls=controls,
        impulse_response=impulse_response,
    )
    render_to_file(
        read_score(song),
        output or unused_path(Path("out.wav")),
        load_model(settings.model),
        settings,
        tail=tail,
        polyphony=polyphony,
        missing=missing,
        percussion=percussion,
        channels=channels,
        stems=stems,
    )


def render_to_file(
    score: Score,
    path: Path,
    model: Model,
    settings: PieceSettings,
    *,
    tail: float = TAIL_SECONDS,
    polyphony: int,
    missing: Missing,
    percussion: Missing,
    channels: int | None = None,
    stems: Path | None = None,
) -> None:
    """Render with a progress bar, then print how long it took."""
    began = time.perf_counter()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f} s"),
        TimeElapsedColumn(),
    )
    with progress_bar(*columns) as bar:
        task = bar.add_task(score.name, total=score.duration)
        render_score(
            score,
            path,
            model=model,
            timbre=settings.timbre,
            seed=settings.seed,
            steps=settings.steps,
            gain_db=settings.gain_db,
            controls=settings.controls_for(channels or model.channels),
            routes=settings.routes_for(channels or model.channels),
            impulse_response=settings.impulse_response,
            tail=tail,
            polyphony=polyphony,
            missing=missing,
            percussion=percussion,
            channels=channels,
            stems=stems,
            keep_samples=False,
            on_progress=lambda seconds: bar.update(task, completed=seconds),
            on_notice=notice,
        )
    seconds, spent = bar.tasks[0].completed, time.perf_counter() - began
    console.print(f"{path}: {seconds:.1f} s in {spent:.1f} s ({seconds / spent:.1f} x real time)")
