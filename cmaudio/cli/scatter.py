"""`cmaudio scatter`: randomly triggered sounds, rendered to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.options import Channels, ControlValues, Gain, Seed
from cmaudio.cli.settings import control_values
from cmaudio.cli.terminal import console
from cmaudio.controls.scatter import DENSITY_MAX, LEVEL_MAX_DB
from cmaudio.errors import CmaudioError
from cmaudio.files.names import file_stem, unused_path
from cmaudio.model.file import load_model
from cmaudio.offline.pattern import render_pattern
from cmaudio.timing.clock import Clock

_MODEL = "textures"
_SECONDS_MAX = 600.0


def scatter(
    timbres: Annotated[list[str], typer.Argument(help="Timbres; every event plays one of them at random.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Sound file: .wav, .flac, .ogg, .opus or .mp3; by default a new one."),
    ] = None,
    model: Annotated[str, typer.Option(help="Name of an embedded model, a model file, or a folder with one.")] = _MODEL,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=_SECONDS_MAX, help="Length, without a tail of up to 4 s.")
    ] = 10.0,
    density: Annotated[float, typer.Option(min=0, max=DENSITY_MAX, help="Events a second.")] = 2.0,
    grid: Annotated[float, typer.Option(min=0, help="Grid of the events in beats; 0: no grid.")] = 0.0,
    tempo: Annotated[float, typer.Option(help="Beats per minute.")] = 120.0,
    pitch: Annotated[float, typer.Option(min=0, help="Spread of pitch in semitones.")] = 0.0,
    level: Annotated[float, typer.Option(min=0, max=LEVEL_MAX_DB, help="Spread of level in dB, downwards.")] = 6.0,
    pan: Annotated[float, typer.Option(min=0, max=1, help="Spread to the sides.")] = 0.5,
    distance: Annotated[float, typer.Option(min=0, max=1, help="Spread of distance, away from the listener.")] = 0.2,
    colour: Annotated[float, typer.Option(min=0, max=1, help="Spread of sharpness and size, or brightness.")] = 0.2,
    seed: Seed = None,
    gain: Gain = None,
    channels: Channels = None,
    controls: ControlValues = None,
) -> None:
    """Trigger sounds at random, with spreads of pitch, level, place and colour, and write a sound file."""
    values = control_values(controls)

    def perform(clock: Clock) -> None:
        for name, value in values.items():
            clock.controls.set(name, value)
        clock.scatter(
            timbres,
            density=density,
            grid=grid,
            pitch_spread=pitch,
            level_spread=level,
            pan_spread=pan,
            distance_spread=distance,
            colour_spread=colour,
            seed=seed or 0,
        )

    loaded = load_model(model)
    if loaded.manifest.speech:
        raise CmaudioError(f"model {loaded.manifest.name!r} is a text-to-speech voice and cannot scatter sounds")
    path = output or unused_path(Path(f"{file_stem('-'.join(timbres))}.wav"))
    with console.status(", ".join(timbres)):
        sound = render_pattern(
            perform,
            seconds * tempo / 60,
            path,
            tempo=tempo,
            model=loaded,
            gain_db=gain or 0.0,
            channels=channels,
        )
    console.print(f"{path}: {len(sound) / sound.sample_rate:.1f} s")
