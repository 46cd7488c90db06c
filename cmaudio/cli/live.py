"""`cmaudio live`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from cmaudio.cli.link import join_link
from cmaudio.cli.meter import show_until_stopped
from cmaudio.cli.midi import connect_midi, send_midi
from cmaudio.cli.options import (
    Asio,
    Channels,
    ControlValues,
    Device,
    Exclusive,
    Gain,
    HostApi,
    ImpulseResponse,
    JoinLink,
    MidiOut,
    OscPort,
    OutputBuffer,
    Pair,
    Pairs,
    Polyphony,
    PresetName,
    Record,
    Routes,
    Seed,
    Steps,
    VirtualOut,
    device_of,
    routes_of,
    sound_cards,
)
from cmaudio.cli.settings import control_values, use_space
from cmaudio.cli.terminal import console, notice
from cmaudio.instrument.preset_files import load_preset
from cmaudio.model.file import DEFAULT_MODEL
from cmaudio.output.player import LEAD_MS
from cmaudio.synth import open


def live(
    midi_port: Annotated[
        str | None,
        typer.Option("--midi", help="MIDI port: index, name or part of a name (`cmaudio midi`); all by default."),
    ] = None,
    mpe: Annotated[bool, typer.Option("--mpe", help="Expect an MPE controller: a lower zone of 15 channels.")] = False,
    virtual: Annotated[str | None, typer.Option(help="Create a virtual MIDI port of this name.")] = None,
    learn: Annotated[
        list[str] | None,
        typer.Option(help="Bind this control to the next controller that moves, and save the binding; repeatable."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Name of an embedded model, a model file, or a folder with one.")
    ] = None,
    device: Device = None,
    host_api: HostApi = None,
    exclusive: Exclusive = False,
    asio: Asio = False,
    lead: OutputBuffer = LEAD_MS,
    preset: PresetName = None,
    controls: ControlValues = None,
    timbre: Annotated[str | None, typer.Option(help="Timbre to start with.")] = None,
    seed: Seed = None,
    steps: Steps = None,
    gain: Gain = None,
    polyphony: Polyphony = 16,
    impulse_response: ImpulseResponse = None,
    record: Record = None,
    channels: Channels = None,
    pair: Pair = 1,
    pairs: Pairs = None,
    route: Routes = None,
    osc: OscPort = None,
    link: JoinLink = False,
    midi_out: MidiOut = None,
    virtual_out: VirtualOut = None,
) -> None:
    """Play from MIDI keyboards and OSC, with a live meter, until Ctrl-C."""
    chosen, given = load_preset(preset) if preset else None, control_values(controls)
    name = model or (chosen.model if chosen else DEFAULT_MODEL)
    synth = open(
        name,
        device=device_of(device),
        lead_ms=lead,
        seed=seed or 0,
        polyphony=polyphony,
        channels=channels,
        pair=pair,
        pairs=pairs,
        routes=routes_of(route),
        on_notice=notice,
        open_stream=sound_cards(host_api, exclusive, asio),
    )
    with synth:
        if chosen:
            synth.apply(chosen)
        # The command line takes precedence over the preset.
        for control, value in (("gain", gain), ("steps", steps), *given.items()):
            if value is not None:
                synth.controls.set(control, value)
        use_space(synth, impulse_response)
        if timbre:
            synth.controls.set_timbre(timbre)
        if record:
            synth.record(record)
        console.print(Text.assemble((synth.model.manifest.name, "bold"), f" on {synth.state().player.device_name}"))
        if osc is not None:
            console.print("OSC on {}:{}".format(*synth.serve_osc(osc).address))
        if link:
            join_link(synth)
        send_midi(synth, midi_out, virtual_out)
        connect_midi(synth, midi_port, mpe, virtual, learn or ())
        show_until_stopped(synth, console)
