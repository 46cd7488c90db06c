"""`cmaudio demo`: short demonstration pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cmaudio.cli import options
from cmaudio.cli.meter import show_while_playing
from cmaudio.cli.terminal import console, notice, to_json
from cmaudio.cli.without_device import file_instead
from cmaudio.demos import DEMOS, find_demo
from cmaudio.demos.piece import Demo
from cmaudio.errors import DeviceError
from cmaudio.files.names import unused_path
from cmaudio.output.player import LEAD_MS
from cmaudio.score.midi_file import write_midi
from cmaudio.synth import open

app = typer.Typer(help="Short demo pieces: list them, play them, render them to sound or MIDI.", no_args_is_help=False)

Name = Annotated[str, typer.Argument(help="Name or title, see `cmaudio demo list`.")]


@app.callback(invoke_without_command=True)
def demo(context: typer.Context) -> None:
    """Short demo pieces: list them, play them, render them to sound or MIDI."""
    if context.invoked_subcommand is None:
        list_demos()


@app.command("list")
def list_demos(as_json: options.Json = False) -> None:
    """List the pieces."""
    rows = [{"name": d.name, "title": d.title, "shows": d.shows, "model": d.model} for d in DEMOS.values()]
    if as_json:
        print(to_json(rows))
        return
    table = Table("name", "title", "shows", "model")
    for row in rows:
        table.add_row(*row.values())
    console.print(table)
    console.print(
        f"cmaudio demo play {rows[1]['name']}    cmaudio demo render {rows[1]['name']} -o {rows[1]['name']}.mid"
    )


@app.command("play")
def play_demo(
    name: Name,
    device: options.Device = None,
    host_api: options.HostApi = None,
    exclusive: options.Exclusive = False,
    asio: options.Asio = False,
    lead: options.OutputBuffer = LEAD_MS,
    record: options.Record = None,
    pair: options.Pair = 1,
) -> None:
    """Play a piece; without a sound card, render it to a file."""
    piece, cards = find_demo(name), options.sound_cards(host_api, exclusive, asio)
    try:
        synth = open(
            piece.model, device=options.device_of(device), lead_ms=lead, pair=pair, on_notice=notice, open_stream=cards
        )
    except DeviceError as error:
        _render(piece, file_instead(error, device, Path(f"{piece.name}.wav")), 0)
        return
    with synth:
        if record:
            synth.record(record)
        seconds = piece.play(synth)
        console.print(Text.assemble((piece.title, "bold"), f" on {synth.state().player.device_name}"))
        show_while_playing(synth, seconds, console)


@app.command("render")
def render_demo(
    name: Name,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Sound file, or a .mid file for the notes; by default a new NAME.wav."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed gives the same samples.")] = 0,
) -> None:
    """Render a piece to a sound file, or write its notes to a MIDI file."""
    piece = find_demo(name)
    path = output or unused_path(Path(f"{piece.name}.wav"))
    if path.suffix.lower() in (".mid", ".midi"):
        write_midi(path, piece.notes())
        console.print(f"{path}: {piece.title}")
    else:
        _render(piece, path, seed)


def _render(piece: Demo, path: Path, seed: int) -> None:
    with console.status(piece.title):
        sound = piece.render(path, seed)
    console.print(f"{path}: {piece.title}, {len(sound) / sound.sample_rate:.1f} s")
