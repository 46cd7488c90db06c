"""`cmaudio panel`."""

from __future__ import annotations

import importlib.util
import secrets
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from cmaudio.cli import options
from cmaudio.cli.link import join_link
from cmaudio.cli.midi import connect_midi, send_midi
from cmaudio.cli.settings import control_values, use_space
from cmaudio.cli.terminal import console, notice
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset_files import load_preset
from cmaudio.model.file import DEFAULT_MODEL
from cmaudio.output.devices import OpenStream
from cmaudio.output.player import LEAD_MS
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.reach import LOOPBACK, Address, qr_terminal, reachable_command
from cmaudio.panel.session import (
    Session,
    SessionKeeper,
    load_session,
    resume_slots,
    resume_sound,
    session_file,
)
from cmaudio.panel.takes import make_folder
from cmaudio.synth import Synth, open

PORT = 8765
Listen = Literal["device", "browser"]


def panel(
    model: options.ModelName = DEFAULT_MODEL,
    preset: options.PresetName = None,
    controls: options.ControlValues = None,
    impulse_response: options.ImpulseResponse = None,
    device: options.Device = None,
    host_api: options.HostApi = None,
    exclusive: options.Exclusive = False,
    asio: options.Asio = False,
    lead: options.OutputBuffer = LEAD_MS,
    polyphony: options.Polyphony = 16,
    channels: options.Channels = None,
    pair: options.Pair = 1,
    pairs: options.Pairs = None,
    route: options.Routes = None,
    host: Annotated[
        str, typer.Option(help="Address to serve on; any other than 127.0.0.1 is protected by a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = PORT,
    token: Annotated[
        str | None, typer.Option(help="Token that the page must present; random by default where one is needed.")
    ] = None,
    listen: Annotated[
        Listen, typer.Option(help="Where to play the sound: on the sound card, or in the page.")
    ] = "device",
    files: Annotated[Path, typer.Option(help="Folder for takes and variations.")] = Path("takes"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not restore the last session.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    no_midi: Annotated[bool, typer.Option("--no-midi", help="Do not listen to MIDI keyboards.")] = False,
    osc: options.OscPort = None,
    link: options.JoinLink = False,
    midi_out: options.MidiOut = None,
    virtual_out: options.VirtualOut = None,
) -> None:
    """Play and shape an instrument in the browser; without a sound card, the sound plays in the page."""
    demand_nicegui()
    from cmaudio.panel.host import Host

    chosen, given = load_preset(preset) if preset else None, control_values(controls)
    clock = ClockOutput()
    address = Address(host, port, token or (None if host in LOOPBACK else secrets.token_urlsafe(24)))
    cards = options.sound_cards(host_api, exclusive, asio)
    with open(
        chosen.model if chosen else model,
        device=options.device_of(device),
        open_stream=_output(device, listen, clock, cards),
        lead_ms=lead,
        polyphony=polyphony,
        channels=channels,
        pair=pair,
        pairs=pairs,
        routes=options.routes_of(route),
        on_notice=notice,
    ) as synth:
        session = None if fresh else _last_session(synth)
        if chosen:
            synth.apply(chosen, morph_seconds=0)
        for name, value in given.items():
            synth.controls.set(name, value)
        use_space(synth, impulse_response)
        make_folder(files)
        if osc is not None:
            console.print("OSC on {}:{}".format(*synth.serve_osc(osc, files=files).address))
        if link:
            join_link(synth)
        send_midi(synth, midi_out, virtual_out)
        if not no_midi and synth.model.manifest.speech is None:
            connect_midi(synth)
        server = Host(synth, address, files, clock, notice, reachable_command(sys.argv[1:]))
        if session is not None:
            resume_slots(server.handler, session)
        keeper = SessionKeeper(server.handler, session_file(synth.model.manifest.name), notice)
        try:
            _greet(synth, address)
            if not no_browser:
                webbrowser.open(address.url)
            while True:
                synth.wait(3600)
        except KeyboardInterrupt:
            pass
        finally:
            keeper.close()
            server.close()


def _last_session(synth: Synth) -> Session | None:
    """Restore the last session of this model; what cannot be restored is reported."""
    session = None
    try:
        session = load_session(session_file(synth.model.manifest.name))
        if session is not None:
            resume_sound(synth, session)
    except CmaudioError as error:
        notice(f"the last session was not restored completely: {error} (--fresh starts without it)")
    return session


def _greet(synth: Synth, address: Address) -> None:
    console.print(Text.assemble((synth.model.manifest.name, "bold"), f" on {synth.state().player.device_name}"))
    console.print(f"{address.url}  (Ctrl-C to stop)", soft_wrap=True)
    if address.host in LOOPBACK:
        return
    reach = address.reach
    if reach is None:
        console.print("From other devices, replace the host by this machine's name or address.")
        return
    console.print(f"{reach}  from other devices on this network", soft_wrap=True)
    if console.is_terminal and (code := qr_terminal(reach)):
        print(code)


def demand_nicegui() -> None:
    """Raises CmaudioError if NiceGUI is not installed."""
    if importlib.util.find_spec("nicegui") is None:
        raise CmaudioError("the panel needs NiceGUI: pip install 'cmaudio[panel]'")


def _output(device: str | None, listen: Listen, clock: ClockOutput, cards: OpenStream) -> OpenStream:
    """The sound card; or the clock of the page, if there is no card or the page was requested."""
    if listen == "device" and (device is not None or options.any_output()):
        return cards
    if listen == "device":
        notice("there is no sound card: click 'press to listen' in the page to hear it there")
    return clock
