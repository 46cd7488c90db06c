"""The command `cmaudio` and its subcommands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

import cmaudio
from cmaudio.cli import demo, models, prepare
from cmaudio.cli.bench import bench
from cmaudio.cli.compare import compare
from cmaudio.cli.devices import devices
from cmaudio.cli.evaluate import evaluate
from cmaudio.cli.export import export
from cmaudio.cli.learn import learn
from cmaudio.cli.live import live
from cmaudio.cli.midi import midi
from cmaudio.cli.osc import osc
from cmaudio.cli.panel import panel
from cmaudio.cli.play import play
from cmaudio.cli.presets import presets
from cmaudio.cli.recite import recite
from cmaudio.cli.render import render
from cmaudio.cli.sample import sample
from cmaudio.cli.say import say
from cmaudio.cli.scatter import scatter
from cmaudio.cli.serve import serve
from cmaudio.cli.terminal import console
from cmaudio.cli.train import train

app = typer.Typer(no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})
_PLAY: list[Callable[..., None]] = [play, live, panel, say, serve]
_FILES: list[Callable[..., None]] = [render, recite, scatter, sample]
_LISTS: list[Callable[..., None]] = [presets, devices, midi, osc]
_MEASURES: list[Callable[..., None]] = [bench, evaluate, compare]
_TRAINING: list[Callable[..., None]] = [learn, train, export]


def _register(commands: list[Callable[..., None]], heading: str) -> None:
    for command in commands:
        app.command(rich_help_panel=heading)(command)


_register(_PLAY, "Play")
_register(_FILES, "Render to files")
app.add_typer(demo.app, name="demo", rich_help_panel="Play")
app.add_typer(models.app, name="models", rich_help_panel="List")
_register(_LISTS, "List")
_register(_MEASURES, "Measure")
app.add_typer(prepare.app, name="prepare", rich_help_panel="Train")
_register(_TRAINING, "Train")


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"cmaudio {cmaudio.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Real-time neural audio: play, render, speak, measure and train."""
