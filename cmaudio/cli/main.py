"""The command `cmaudio`: its subcommands, and how it ends on errors and signals."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.text import Text

import cmaudio
from cmaudio.cli import models, prepare
from cmaudio.cli.bench import bench
from cmaudio.cli.compare import compare
from cmaudio.cli.devices import devices
from cmaudio.cli.evaluate import evaluate
from cmaudio.cli.export import export
from cmaudio.cli.live import live
from cmaudio.cli.midi import midi
from cmaudio.cli.osc import osc
from cmaudio.cli.panel import panel
from cmaudio.cli.play import play
from cmaudio.cli.presets import presets
from cmaudio.cli.recite import recite
from cmaudio.cli.render import render
from cmaudio.cli.say import say
from cmaudio.cli.terminal import console, errors
from cmaudio.cli.train import train
from cmaudio.errors import CmaudioError

INTERRUPTED, TERMINATED = 128 + 2, 128 + 15  # what a shell reports of a command ended by SIGINT and by SIGTERM

app = typer.Typer(no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})
_PLAY: list[Callable[..., None]] = [play, live, panel, say]
_FILES: list[Callable[..., None]] = [render, recite]
_LISTS: list[Callable[..., None]] = [presets, devices, midi, osc]
_MEASURES: list[Callable[..., None]] = [bench, evaluate, compare]
_TRAINING: list[Callable[..., None]] = [train, export]


def _register(commands: list[Callable[..., None]], heading: str) -> None:
    for command in commands:
        app.command(rich_help_panel=heading)(command)


_register(_PLAY, "Play")
_register(_FILES, "Render to files")
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


def main() -> None:
    """Entry point: a user's mistake is one line on standard error and status 1, never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except CmaudioError as error:
        errors.print(Text.assemble(("error: ", "bold red"), str(error)))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Unwind the stack, so that streams are closed and half-written files removed, as after Ctrl-C."""
    sys.exit(TERMINATED)
