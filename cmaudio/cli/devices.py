"""`cmaudio devices`."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from cmaudio.cli.options import Json
from cmaudio.cli.terminal import console, to_json
from cmaudio.output.devices import list_devices


def devices(as_json: Json = False) -> None:
    """List the audio outputs."""
    found = list_devices()
    if as_json:
        print(to_json([asdict(device) for device in found]))
        return
    table = Table("index", "name", "host API", "channels", "sample rate", "")
    for device in found:
        channels, rate = str(device.max_output_channels), f"{device.default_sample_rate:.0f} Hz"
        default = "default" if device.is_default else ""
        table.add_row(str(device.index), device.name, device.host_api, channels, rate, default)
    console.print(table if found else "There is no audio output here; `cmaudio render` works without one.")
