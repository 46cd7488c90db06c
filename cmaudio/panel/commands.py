"""Every command that a page may send, with its limits. Nothing else is accepted.

A command is a JSON object. Pitches are MIDI note numbers, velocities 1..127, seeds 0..2**63 - 1, places -1..1 on the
timbre map. The sender is not part of a command: the server stamps it on the message (see `cmaudio.panel.pipe`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from cmaudio.errors import CmaudioError, explain
from cmaudio.panel.page_command import PageCommand
from cmaudio.panel.sequencer_commands import SequencerCommand, pattern_step_name

MAX_COMMAND_BYTES = 2**16
MAX_VARIATIONS = 64

Name = Annotated[str, Field(min_length=1, max_length=200)]
Pitch = Annotated[int, Field(ge=0, le=127)]
Place = Annotated[float, Field(ge=-1, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class SetControl(PageCommand):
    """Set a control. If `held`, it returns to its default when the client releases it or disconnects."""

    kind: Literal["set"]
    name: Name
    value: float
    held: bool = False


class RouteModulator(PageCommand):
    """Route a modulator to a control, with an amount in the control's unit; 0 removes the route."""

    kind: Literal["route"]
    modulator: Name
    control: Name
    amount: float


class LearnControl(PageCommand):
    """Bind the next MIDI controller that moves to a control and save the binding; None stops waiting."""

    kind: Literal["learn"]
    name: Name | None


class GoToPlace(PageCommand):
    """Morph to a place on the timbre map."""

    kind: Literal["place"]
    x: Place
    y: Place


class ChooseTimbre(PageCommand):
    """Morph to a named timbre."""

    kind: Literal["timbre"]
    name: Name


class PressKey(PageCommand):
    kind: Literal["press"]
    pitch: Pitch
    velocity: Annotated[int, Field(ge=1, le=127)]


class LiftKey(PageCommand):
    kind: Literal["lift"]
    pitch: Pitch


class PressPad(PageCommand):
    """Strike the pad of a key; see `cmaudio.model.pads`."""

    kind: Literal["pad"]
    pitch: Pitch
    velocity: Annotated[int, Field(ge=1, le=127)]


class LiftPad(PageCommand):
    kind: Literal["lift_pad"]
    pitch: Pitch


class SetSustain(PageCommand):
    kind: Literal["sustain"]
    down: bool


class SetSeed(PageCommand):
    """Set the seed of new notes; None gives each note a different seed."""

    kind: Literal["seed"]
    seed: Seed | None


class LockSeed(PageCommand):
    """Keep "roll" from changing the seed."""

    kind: Literal["lock"]
    locked: bool


class BareCommand(PageCommand):
    """A command without fields.

    "stop" ends the take, "hush" the texts, "cancel" the variations, "unlink" Link. "neighbour" selects a nearby timbre
    at random, "example" plays a piece, and "read" says that the first hints were read.
    """

    kind: Literal[
        "roll", "reset", "undo", "redo", "panic", "record", "stop", "hush", "cancel", "devices", "link", "unlink",
        "neighbour", "example", "read",
    ]  # fmt: skip


class ApplyPreset(PageCommand):
    """Apply a preset by its name, never by its path."""

    kind: Literal["preset"]
    name: Name


class SavePreset(PageCommand):
    """Save the current sound as a preset."""

    kind: Literal["save_preset"]
    name: Name
    description: Annotated[str, Field(max_length=200)] = ""
    tags: Annotated[list[Annotated[str, Field(max_length=24)]], Field(max_length=8)] = Field(default_factory=list)


class Audition(PageCommand):
    """Audition a timbre or a preset quietly, without selecting it; None ends it."""

    kind: Literal["audition"]
    what: Literal["timbre", "preset"] = "preset"
    name: Name | None


class UseSlot(PageCommand):
    """Store all controls, the timbre and the seed in a slot, or recall them from it."""

    kind: Literal["store", "recall"]
    slot: Literal["A", "B"]


class KeepRecent(PageCommand):
    """Write the last seconds of sound to a file."""

    kind: Literal["keep"]
    seconds: Annotated[float, Field(ge=1, le=300)]


class SayText(PageCommand):
    """Speak a text; for text-to-speech models."""

    kind: Literal["say"]
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class RenderVariations(PageCommand):
    """Render variations to files: other seeds, or other places within `radius` of a timbre's.

    timbre: the one that is varied; None is the current one.
    phrase: what each plays: a held note, a short motif from `pitch`, or what was played last. Text-to-speech models
    speak `text` instead.
    loudness: of each file in LUFS, as far as a peak of -1 dB allows; None leaves it unchanged.
    """

    kind: Literal["vary"]
    what: Literal["seeds", "places"]
    count: Annotated[int, Field(ge=1, le=MAX_VARIATIONS)]
    timbre: Name | None = None
    radius: Annotated[float, Field(gt=0, le=1)] = 0.3
    phrase: Literal["note", "motif", "played"] = "note"
    pitch: Pitch = 60
    seconds: Annotated[float, Field(ge=0.2, le=30)] = 2.0
    text: Annotated[str, Field(max_length=1000)] = ""
    loudness: Annotated[float, Field(ge=-60, le=-6)] | None = None


class DeleteFile(PageCommand):
    """Delete a sound file of the folder of takes, and the notes beside it."""

    kind: Literal["delete"]
    file: Name


class RenameFile(PageCommand):
    """Rename a sound file of the folder of takes, and the notes beside it; the extension stays."""

    kind: Literal["rename"]
    file: Name
    name: Name


class LearnSound(PageCommand):
    """Learn a timbre from a sound file in the folder of takes, by its name, and select it."""

    kind: Literal["learn_sound"]
    file: Name


class MarkFavourite(PageCommand):
    """Mark or unmark a timbre, a preset or a sound file of the folder of takes as a favourite."""

    kind: Literal["favourite"]
    what: Literal["timbre", "preset", "file"]
    name: Name
    on: bool


class UseSpace(PageCommand):
    """Replace the reverb by an impulse response in the folder of takes, by its name; None restores the reverb."""

    kind: Literal["space"]
    file: Name | None


class ChooseDevice(PageCommand):
    """Switch to another output: a device by its full name, or None for the page itself."""

    kind: Literal["device"]
    name: Name | None


Command = (
    SetControl | RouteModulator | LearnControl | GoToPlace | ChooseTimbre | PressKey | LiftKey | PressPad | LiftPad
    | SetSustain | SetSeed | LockSeed | BareCommand | ApplyPreset | SavePreset | UseSlot | KeepRecent | SayText
    | Audition | RenderVariations | UseSpace | ChooseDevice | DeleteFile | RenameFile | LearnSound | MarkFavourite
    | SequencerCommand
)  # fmt: skip
_ADAPTER: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])


def what_it_changes(command: Command) -> str:
    """The name of the history step that a command makes."""
    if isinstance(command, SequencerCommand):
        return pattern_step_name(command)
    match command:
        case SetControl(name=name):
            return name.replace("_", " ")
        case RouteModulator(modulator=modulator, control=control):
            return f"{modulator} to {control.replace('_', ' ')}"
        case ApplyPreset(name=name):
            return f"preset {name}"
        case UseSlot(slot=slot):
            return f"slot {slot}"
        case GoToPlace() | ChooseTimbre() | BareCommand(kind="neighbour"):
            return "timbre"
        case UseSpace():
            return "impulse response"
        case LearnSound():
            return "learned timbre"
        case BareCommand(kind="roll") | SetSeed():
            return "seed"
    return command.kind.replace("_", " ")


def parse_command(data: bytes | str) -> Command:
    """The command in a JSON text. Raises CmaudioError for an invalid command."""
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError as error:
        raise CmaudioError(f"not understood: {explain(error, skip=1)}") from error
