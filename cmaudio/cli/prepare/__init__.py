"""`cmaudio prepare`: corpora from audio on disk. Heavy libraries are imported when a command runs."""

from __future__ import annotations

import typer

from cmaudio.cli.prepare.folder import folder
from cmaudio.cli.prepare.soundfont import soundfont
from cmaudio.cli.prepare.speech import speech

app = typer.Typer(help="Prepare a corpus for `cmaudio train` from audio on disk.", no_args_is_help=True)
for command in (soundfont, folder, speech):
    app.command()(command)
