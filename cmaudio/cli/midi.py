"""`cmaudio midi`, and connecting MIDI ports for `live` and `panel`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from cmaudio.cli.options import Json, device_of
from cmaudio.cli.terminal import console, notice, to_json
from cmaudio.controls.binding import Binding
from cmaudio.errors import CmaudioError
from cmaudio.midi.bindings import Bindings, bindings_file
from cmaudio.midi.input import MidiInput
from cmaudio.midi.ports import list_midi_inputs, list_midi_outputs
from cmaudio.synth import Synth


def midi(as_json: Json = False) -> None:
    """List the MIDI ports and the saved MIDI learn bindings."""
    trouble, ports, outputs = "", list[str](), list[str]()
    try:
        ports, outputs = list_midi_inputs(), list_midi_outputs()
    except CmaudioError as error:
        trouble = str(error)
    bindings = Bindings.load()
    if as_json:
        saved = [binding.model_dump() for binding in bindings]
        print(to_json({"ports": ports, "outputs": outputs, "trouble": trouble or None, "bindings": saved}))
        return
    for what, names in (("input", ports), ("output", outputs)):
        table = Table("index", f"MIDI {what} port")
        for index, name in enumerate(names):
            table.add_row(str(index), name)
        if names or not trouble:
            console.print(table if names else f"No MIDI {what} port is connected.")
    if trouble:
        console.print(trouble)
    for binding in bindings:
        console.print(str(binding))
    if len(bindings):
        console.print(f"Bindings are saved in {bindings_file()}", soft_wrap=True)


def connect_midi(
    synth: Synth, port: str | None = None, mpe: bool = False, virtual: str | None = None, learn: Sequence[str] = ()
) -> None:
    """Connect and print the ports. Without a MIDI system, and if no port was requested, print a notice instead.

    Args:
        port: index, name or part of a name; all ports by default.
        mpe: expect an MPE controller.
        virtual: name of a virtual port to create.
        learn: controls to bind, one after another, to the next controllers that move.
    Raises:
        CmaudioError: a requested port is missing, or there is no such control to bind.
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
    console.print("MIDI input: " + (", ".join(midi.ports) or "every port as it is connected"))
    learn_in_turn(midi, learn)


def send_midi(synth: Synth, port: str | None, virtual: str | None) -> None:
    """Send notes and clock to a port, a virtual port or both, if requested, and print their names.

    Raises CmaudioError if one cannot be opened.
    """
    if port is not None:
        console.print(f"MIDI output: {synth.midi_out(device_of(port)).port}")
    if virtual is not None:
        console.print(f"MIDI output: {synth.midi_out(virtual=virtual).port}")


def learn_in_turn(midi: MidiInput, controls: Sequence[str], tell: Callable[[str], None] = notice) -> None:
    """Bind each control to the next controller that moves, one after another, and save every binding."""
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
