"""`cmaudio live`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from cmaudio.cli import options
from cmaudio.cli.link import join_link
from cmaudio.cli.meter import show_until_stopped
from cmaudio.cli.midi import connect_midi, send_midi
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
    device: options.Device = None,
    host_api: options.HostApi = None,
    exclusive: options.Exclusive = False,
    asio: options.Asio = False,
    lead: options.OutputBuffer = LEAD_MS,
    preset: options.PresetName = None,
    controls: options.ControlValues = None,
    timbre: Annotated[str | None, typer.Option(help="Timbre to start with.")] = None,
    seed: options.Seed = None,
    steps: options.Steps = None,
    gain: options.Gain = None,
    polyphony: options.Polyphony = 16,
    impulse_response: options.ImpulseResponse = None,
    record: options.Record = None,
    channels: options.Channels = None,
    pair: options.Pair = 1,
    pairs: options.Pairs = None,
    route: options.Routes = None,
    osc: options.OscPort = None,
    link: options.JoinLink = False,
    midi_out: options.MidiOut = None,
    virtual_out: options.VirtualOut = None,
) -> None:
    """Play from MIDI keyboards and OSC, with a live meter, until Ctrl-C."""
    chosen, given = load_preset(preset) if preset else None, control_values(controls)
    name = model or (chosen.model if chosen else DEFAULT_MODEL)
    synth = open(
        name,
        device=options.device_of(device),
        lead_ms=lead,
        seed=seed or 0,
        polyphony=polyphony,
        channels=channels,
        pair=pair,
        pairs=pairs,
        routes=options.routes_of(route),
        on_notice=notice,
        open_stream=options.sound_cards(host_api, exclusive, asio),
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
