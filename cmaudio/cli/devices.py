"""`cmaudio devices`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from cmaudio.cli.options import Asio, Json
from cmaudio.cli.terminal import console, to_json
from cmaudio.output.devices import Kind, list_devices
from cmaudio.output.host_api import enable_asio


def devices(
    as_json: Json = False,
    inputs: Annotated[bool, typer.Option("--inputs", help="List the inputs instead (for `cmaudio sample`).")] = False,
    asio: Asio = False,
) -> None:
    """List the audio outputs or inputs, with their host APIs."""
    if asio:
        enable_asio()
    kind: Kind = "input" if inputs else "output"
    found = list_devices(kind)
    if as_json:
        print(to_json([asdict(device) for device in found]))
        return
    table = Table("index", "name", "host API", "channels", "sample rate", "")
    for device in found:
        count = device.max_input_channels if inputs else device.max_output_channels
        channels, rate = str(count), f"{device.default_sample_rate:.0f} Hz"
        default = "default" if device.is_default else ""
        table.add_row(str(device.index), device.name, device.host_api, channels, rate, default)
    remedy = "plug in a microphone or an interface" if inputs else "`cmaudio render` works without one"
    console.print(table if found else f"There is no audio {kind} here; {remedy}.")
