"""`cmaudio play`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cmaudio.cli import options
from cmaudio.cli.link import DELAY_SECONDS, join_link, seconds_to_bar
from cmaudio.cli.meter import show_while_playing
from cmaudio.cli.midi import send_midi
from cmaudio.cli.render import render_to_file
from cmaudio.cli.settings import piece_settings, read_score
from cmaudio.cli.terminal import console, notice
from cmaudio.cli.without_device import file_instead
from cmaudio.errors import DeviceError
from cmaudio.files.names import file_stem
from cmaudio.model.file import DEFAULT_MODEL, load_model
from cmaudio.output.player import LEAD_MS
from cmaudio.synth import open


def play(
    song: Annotated[Path | None, typer.Argument(help="MIDI file; a short built-in piece by default.")] = None,
    model: options.ModelName = DEFAULT_MODEL,
    device: options.Device = None,
    host_api: options.HostApi = None,
    exclusive: options.Exclusive = False,
    asio: options.Asio = False,
    lead: options.OutputBuffer = LEAD_MS,
    timbre: options.TimbreName = None,
    seed: options.Seed = None,
    steps: options.Steps = None,
    gain: options.Gain = None,
    polyphony: options.Polyphony = 16,
    missing: options.MissingPrograms = "nearest",
    percussion: options.MissingDrums = "omit",
    preset: options.PresetName = None,
    impulse_response: options.ImpulseResponse = None,
    record: options.Record = None,
    channels: options.Channels = None,
    controls: options.ControlValues = None,
    pair: options.Pair = 1,
    route: options.Routes = None,
    link: options.JoinLink = False,
    midi_out: options.MidiOut = None,
    virtual_out: options.VirtualOut = None,
) -> None:
    """Play a MIDI file with a live meter; without a sound card, render it to a file.

    With --link the file starts at a bar of the session and keeps its own tempo; delay effects follow the session's.
    """
    cards = options.sound_cards(host_api, exclusive, asio)
    settings = piece_settings(
        preset,
        model,
        timbre=timbre,
        seed=seed,
        steps=steps,
        gain_db=gain,
        controls=controls,
        impulse_response=impulse_response,
    )
    score, loaded = read_score(song), load_model(settings.model)
    try:
        synth = open(
            loaded,
            device=options.device_of(device),
            lead_ms=lead,
            polyphony=polyphony,
            seed=settings.seed,
            steps=settings.steps,
            gain_db=settings.gain_db,
            channels=channels,
            pair=pair,
            routes=options.routes_of(route),
            on_notice=notice,
            open_stream=cards,
        )
    except DeviceError as error:
        render_to_file(
            score,
            file_instead(error, device, Path(f"{file_stem(score.name)}.wav")),
            loaded,
            settings,
            polyphony=polyphony,
            missing=missing,
            percussion=percussion,
            channels=channels,
        )
        return
    with synth:
        if record:
            synth.record(record)
        synth.use_impulse_response(settings.impulse_response)
        synth.controls.apply(settings.controls_for(synth.engine.channels) | {"steps": settings.steps})
        synth.controls.set_routes(settings.routes_for(synth.engine.channels))
        send_midi(synth, midi_out, virtual_out)
        delay = DELAY_SECONDS
        if link:
            join_link(synth)
            delay = seconds_to_bar(synth)
        for text in synth.play(score, timbre=settings.timbre, missing=missing, percussion=percussion, delay=delay):
            notice(text)
        console.print(Text.assemble((score.name, "bold"), f" on {synth.state().player.device_name}"))
        show_while_playing(synth, score.duration, console)
