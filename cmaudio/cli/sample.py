"""`cmaudio sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.options import Asio, HostApi, device_of
from cmaudio.cli.terminal import console, notice
from cmaudio.errors import CmaudioError
from cmaudio.input.finish import Level
from cmaudio.input.listening import Listening, listen
from cmaudio.input.stream import Inputs
from cmaudio.output.host_api import ASIO, enable_asio


def sample(
    output: Annotated[Path, typer.Argument(help="New sound file: .wav or .flac.")],
    device: Annotated[
        str | None,
        typer.Option("--device", help="Input: index, name or part of a name (`cmaudio devices --inputs`)."),
    ] = None,
    host_api: HostApi = None,
    asio: Asio = False,
    channels: Annotated[int, typer.Option(help="Channels of the input to record.")] = 1,
    rate: Annotated[int, typer.Option(help="Sample rate in Hz; if the device refuses it, the device's own.")] = 48_000,
    threshold: Annotated[float, typer.Option(help="Level in dBFS above which the take starts.")] = -45.0,
    silence: Annotated[float, typer.Option(help="Seconds of silence that end the take.")] = 1.0,
    longest: Annotated[float, typer.Option("--max", help="Maximum length of the take in seconds.")] = 30.0,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a sound.")] = 30.0,
    level: Annotated[
        Level, typer.Option(help="Normalise the take to a peak of -1 dB or a loudness of -18 LUFS.")
    ] = "peak",
) -> None:
    """Record a sound from an input: waits for sound, stops at silence, trims and levels the take."""
    if asio:
        if host_api is not None:
            raise CmaudioError("--asio is itself a host API: omit --host-api")
        enable_asio()
    how = Listening(
        channels=channels,
        sample_rate=rate,
        threshold_db=threshold,
        silence=silence,
        longest=longest,
        wait=wait,
        level=level,
    )
    inputs = Inputs(ASIO if asio else host_api)
    take = listen(output, how, device_of(device), open_input=inputs, on_notice=notice, on_state=console.print)
    seconds = len(take.sound) / take.sound.sample_rate
    console.print(
        f"{output}: {seconds:.2f} s, peak of the input {take.peak_db:.1f} dB, {take.gain_db:+.1f} dB added, "
        f"{take.loudness_lufs:.1f} LUFS"
    )
