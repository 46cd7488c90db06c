"""The command line of the panel."""

from __future__ import annotations

import importlib.util
import secrets
import webbrowser
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cmaudio.cli.live import connect_midi
from cmaudio.cli.terminal import any_output, console, device_of, notice
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset import load_preset
from cmaudio.model.file import DEFAULT_MODEL
from cmaudio.output.devices import OpenStream, open_sound_card
from cmaudio.output.player import LEAD_MS
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.synth import Synth, open

PORT = 8765
_LOOPBACK, _EVERYWHERE = ("127.0.0.1", "localhost", "::1"), ("0.0.0.0", "::")


def panel(
    model: Annotated[str, typer.Option("--model", help="Embedded model's name, or a model file.")] = DEFAULT_MODEL,
    preset: Annotated[str | None, typer.Option(help="Begin with it (`cmaudio presets`), or a file.")] = None,
    device: Annotated[str | None, typer.Option(help="Output: name, part of it, or index (`cmaudio devices`).")] = None,
    lead: Annotated[float, typer.Option(help="How far synthesis runs ahead of the sound card, in ms.")] = LEAD_MS,
    polyphony: Annotated[int, typer.Option(help="Most voices at once.")] = 16,
    host: Annotated[
        str, typer.Option(help="Address to serve at; beside 127.0.0.1 a token is asked for.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve at.")] = PORT,
    token: Annotated[str | None, typer.Option(help="What the page asks for; drawn at random if it is needed.")] = None,
    listen: Annotated[
        Literal["device", "browser"], typer.Option(help="Where it sounds: the sound card, or the page itself.")
    ] = "device",
    files: Annotated[Path, typer.Option(help="Folder for takes and variations.")] = Path("takes"),
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    no_midi: Annotated[bool, typer.Option("--no-midi", help="Leave MIDI keyboards alone.")] = False,
    osc: Annotated[int | None, typer.Option(help="Listen to OSC at this port too (`cmaudio osc`).")] = None,
) -> None:
    """Play and shape an instrument in the browser. Without a sound card it sounds in the page."""
    demand_nicegui()
    from cmaudio.panel.host import Address, Host

    chosen = load_preset(preset) if preset else None
    clock = ClockOutput()
    address = Address(host, port, token or (None if host in _LOOPBACK else secrets.token_urlsafe(24)))
    with _open(chosen.model if chosen else model, device, lead, polyphony, listen, clock) as synth:
        if chosen:
            synth.apply(chosen, morph_seconds=0)
        if osc is not None:
            console.print("OSC at {}:{}".format(*synth.serve_osc(osc, files=files).address), highlight=False)
        if not no_midi and synth.model.manifest.speech is None:
            connect_midi(synth)
        server = Host(synth, address, files, clock, notice)
        try:
            console.print(
                f"[bold]{synth.model.manifest.name}[/] on {synth.state().player.device_name}", highlight=False
            )
            console.print(f"{address.url}  (Ctrl-C ends it)", highlight=False, soft_wrap=True)
            if host in _EVERYWHERE:
                console.print("From elsewhere: this machine's name or address in place of the first part.")
            if not no_browser:
                webbrowser.open(address.url)
            while True:
                synth.wait(3600)
        except KeyboardInterrupt:
            pass
        finally:
            server.close()


def demand_nicegui() -> None:
    """Raises CmaudioError where NiceGUI is not installed."""
    if importlib.util.find_spec("nicegui") is None:
        raise CmaudioError("the panel needs NiceGUI: pip install 'cmaudio[panel]'")


def _open(model: str, device: str | None, lead: float, polyphony: int, listen: str, clock: ClockOutput) -> Synth:
    settings: dict[str, Any] = {"lead_ms": lead, "polyphony": polyphony, "on_notice": notice}
    output: OpenStream = open_sound_card
    if listen == "browser" or (device is None and not any_output()):
        output = clock
        if listen == "device":
            notice("there is no sound card: click 'listen' in the page to hear it there")
    return open(model, device=device_of(device), open_stream=output, **settings)
