"""`cmaudio midi`, and connecting MIDI ports as `live` and `panel` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from cmaudio.cli.options import Json, device_of
from cmaudio.cli.terminal import console, notice, to_json
from cmaudio.controls.binding import Binding
from cmaudio.errors import CmaudioError
from cmaudio.midi.bindings import Bindings, bindings_file
from cmaudio.midi.input import MidiInput
from cmaudio.midi.ports import list_midi_inputs
from cmaudio.synth import Synth


def midi(as_json: Json = False) -> None:
    """List the MIDI input ports and the saved MIDI learn bindings."""
    trouble, ports = "", list[str]()
    try:
        ports = list_midi_inputs()
    except CmaudioError as error:
        trouble = str(error)
    bindings = Bindings.load()
    if as_json:
        saved = [binding.model_dump() for binding in bindings]
        print(to_json({"ports": ports, "trouble": trouble or None, "bindings": saved}))
        return
    table = Table("index", "MIDI input port")
    for index, name in enumerate(ports):
        table.add_row(str(index), name)
    console.print(table if ports else trouble or "No MIDI input port is connected.")
    for binding in bindings:
        console.print(str(binding))
    if len(bindings):
        console.print(f"Bindings are saved in {bindings_file()}", soft_wrap=True)


def connect_midi(
    synth: Synth, port: str | None = None, mpe: bool = False, virtual: str | None = None, learn: Sequence[str] = ()
) -> None:
    """Connect, and print the ports. Print a notice instead if there is no MIDI system and no port was requested.

    Args:
        port: index, name or part of a name; all ports by default.
        mpe: expect an MPE controller.
        virtual: name of a virtual port to create.
        learn: controls to bind, one after another, to the next controllers that are moved.
    Raises:
        CmaudioError: a port that was asked for is missing, or there is no such control to bind.
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
    console.print("MIDI input: " + (", ".join(midi.ports) or "every port, as it is connected"))
    learn_in_turn(midi, learn)


def learn_in_turn(midi: MidiInput, controls: Sequence[str], tell: Callable[[str], None] = notice) -> None:
    """Bind each control to the next controller moved, one control after another, and save every binding."""
    waiting = list(controls)

    def next_one() -> None:
        if waiting:
            tell(f"move the controller for {waiting[0]!r}")
            midi.learn(waiting.pop(0))

    def learnt(_binding: Binding) -> None:
        tell(f"saved to {midi.bindings.save()}")
        next_one()

    midi.on_learned = learnt
    next_one()
