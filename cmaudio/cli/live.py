"""The command line of playing live: midi, live."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cmaudio.cli.meter import show_until_stopped
from cmaudio.cli.terminal import console, device_of, notice
from cmaudio.controls.binding import Binding
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset import load_preset
from cmaudio.midi.bindings import Bindings, bindings_file
from cmaudio.midi.input import MidiInput
from cmaudio.midi.ports import list_midi_inputs
from cmaudio.model.file import DEFAULT_MODEL
from cmaudio.output.player import LEAD_MS
from cmaudio.synth import Synth, open


def midi(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the MIDI input ports and the saved bindings of controllers to controls."""
    trouble, ports = "", list[str]()
    try:
        ports = list_midi_inputs()
    except CmaudioError as error:
        trouble = str(error)
    bindings = Bindings.load()
    if as_json:
        found = {"ports": ports, "trouble": trouble or None, "bindings": [binding.model_dump() for binding in bindings]}
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    table = Table("index", "MIDI input port")
    for index, name in enumerate(ports):
        table.add_row(str(index), name)
    console.print(table if ports else trouble or "no MIDI input port is plugged in", highlight=False)
    for binding in bindings:
        console.print(str(binding), highlight=False)
    if len(bindings):
        console.print(f"bindings are kept in {bindings_file()}", highlight=False, soft_wrap=True)


def live(
    midi_port: Annotated[
        str | None, typer.Option("--midi", help="Port: name, part of it, or index (`cmaudio midi`); all by default.")
    ] = None,
    mpe: Annotated[bool, typer.Option("--mpe", help="Expect an MPE controller: a lower zone of 15 channels.")] = False,
    virtual: Annotated[str | None, typer.Option(help="Make a MIDI port of this name for other programs.")] = None,
    learn: Annotated[
        list[str] | None, typer.Option(help="Bind the next controller moved to this control, and save it; repeatable.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Embedded model's name, or a model file.")] = None,
    device: Annotated[str | None, typer.Option(help="Output (`cmaudio devices`).")] = None,
    lead: Annotated[float, typer.Option(help="How far synthesis runs ahead of the sound card, in ms.")] = LEAD_MS,
    preset: Annotated[str | None, typer.Option(help="Sound to begin with (`cmaudio presets`), or a file.")] = None,
    timbre: Annotated[str | None, typer.Option(help="Timbre to begin with.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed and playing, same samples.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Network evaluations a block: 1, or 2 for fine.")] = None,
    gain: Annotated[float | None, typer.Option(help="Master gain in dB, before the limiter.")] = None,
    polyphony: Annotated[int, typer.Option(help="Most voices at once.")] = 16,
    record: Annotated[Path | None, typer.Option(help="Record it: .wav or .flac, and a .mid beside it.")] = None,
    osc: Annotated[int | None, typer.Option(help="Listen to OSC at this port too (`cmaudio osc`).")] = None,
) -> None:
    """Play the instrument from MIDI keyboards and OSC, with a live meter, until Ctrl-C."""
    chosen = load_preset(preset) if preset else None
    name = model or (chosen.model if chosen else DEFAULT_MODEL)
    synth = open(
        name,
        device=device_of(device),
        lead_ms=lead,
        seed=seed,
        polyphony=polyphony,
        on_notice=notice,
    )
    with synth:
        if chosen:
            synth.apply(chosen)
        for control, value in (("gain", gain), ("steps", steps)):  # what is given goes before the preset's
            if value is not None:
                synth.controls.set(control, value)
        if timbre:
            synth.controls.set_timbre(timbre)
        if record:
            synth.record(record)
        console.print(f"[bold]{synth.model.manifest.name}[/] on {synth.state().player.device_name}", highlight=False)
        if osc is not None:
            console.print("OSC at {}:{}".format(*synth.serve_osc(osc).address), highlight=False)
        connect_midi(synth, midi_port, mpe, virtual, learn or ())
        show_until_stopped(synth, console)


def connect_midi(
    synth: Synth, port: str | None = None, mpe: bool = False, virtual: str | None = None, learn: Sequence[str] = ()
) -> None:
    """Connect and tell of it; where there is no MIDI and none was asked for, say so and go on.

    Raises CmaudioError for a port that was asked for and is not there, and for a control that is not there to learn.
    """
    for control in learn:
        if control not in synth.controls.definitions:
            known = ", ".join(synth.controls.definitions)
            raise CmaudioError(f"--learn: no control {control!r}; this model has {known}")
    try:
        midi = synth.connect_midi(device_of(port), mpe=mpe, virtual=virtual)
    except CmaudioError as error:
        if port is not None or virtual is not None or learn:
            raise
        notice(str(error))
        return
    console.print("MIDI from " + (", ".join(midi.ports) or "whatever is plugged in"), highlight=False)
    _learn_in_turn(midi, learn)


def _learn_in_turn(midi: MidiInput, controls: Sequence[str], tell: Callable[[str], None] = notice) -> None:
    """Have each control learnt after the one before, and every binding saved."""
    waiting = list(controls)

    def next_one() -> None:
        if waiting:
            tell(f"move the controller that is to move {waiting[0]!r}")
            midi.learn(waiting.pop(0))

    def learnt(_binding: Binding) -> None:
        tell(f"saved to {midi.bindings.save()}")
        next_one()

    midi.on_learned = learnt
    next_one()
