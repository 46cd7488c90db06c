"""What the page may ask of the engine: every command by its kind, with its limits. Nothing else is taken.

A command is a JSON object with `kind` and, added by the server, `client`: who asks. Pitches are MIDI note numbers,
velocities 1..127, seeds 0..2**63 - 1, places within -1..1 on the timbre map.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cmaudio.errors import CmaudioError, explain

MAX_BYTES = 2**16
MAX_VARIATIONS = 64

Name = Annotated[str, Field(min_length=1, max_length=200)]
Pitch = Annotated[int, Field(ge=0, le=127)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Place = Annotated[float, Field(ge=-1, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Slot = Literal["A", "B"]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    client: Annotated[str, Field(min_length=1, max_length=64)]


class SetControl(_Command):
    """Move a control; with `held` it goes back to its default when the client lets go of it or goes away."""

    kind: Literal["set"]
    name: Name
    value: Number
    held: bool = False


class Learn(_Command):
    """Bind the next MIDI controller that is moved to a control, and save it; None: wait no longer."""

    kind: Literal["learn"]
    name: Name | None


class GoTo(_Command):
    """Go to a place on the timbre map; what sounds morphs."""

    kind: Literal["place"]
    x: Place
    y: Place


class ChooseTimbre(_Command):
    """Go to a named timbre."""

    kind: Literal["timbre"]
    name: Name


class Press(_Command):
    """A key goes down."""

    kind: Literal["press"]
    pitch: Pitch
    velocity: Annotated[int, Field(ge=1, le=127)]


class Lift(_Command):
    """A key goes up."""

    kind: Literal["lift"]
    pitch: Pitch


class Pedal(_Command):
    """The sustain pedal."""

    kind: Literal["sustain"]
    down: bool


class SetSeed(_Command):
    """The seed of new notes; None: each has its own."""

    kind: Literal["seed"]
    seed: Seed | None


class LockSeed(_Command):
    """Keep the seed from being drawn anew."""

    kind: Literal["lock"]
    locked: bool


class Simple(_Command):
    """What needs no more said. `gone`: the client went away; `stop`: end the take; `hush`: stop saying."""

    kind: Literal["roll", "reset", "panic", "record", "stop", "hush", "cancel", "devices", "gone"]


class ApplyPreset(_Command):
    """Set the instrument as a preset says."""

    kind: Literal["preset"]
    name: Name


class SavePreset(_Command):
    """Keep the sound as it is under a name."""

    kind: Literal["save_preset"]
    name: Name
    description: Annotated[str, Field(max_length=200)] = ""


class Slots(_Command):
    """Store all controls in a slot, or go to what is in it."""

    kind: Literal["store", "recall"]
    slot: Slot


class Keep(_Command):
    """Write what was played last to a file."""

    kind: Literal["keep"]
    seconds: Annotated[float, Field(ge=1, le=300)]


class Say(_Command):
    """Say a text, with a model that reads."""

    kind: Literal["say"]
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class Vary(_Command):
    """Render variations to files: other seeds, or other places within `radius` around the current one.

    phrase: a held note, a short motif on `pitch`, what was played last; a model that reads says `text`.
    """

    kind: Literal["vary"]
    what: Literal["seeds", "places"]
    count: Annotated[int, Field(ge=1, le=MAX_VARIATIONS)]
    radius: Annotated[float, Field(gt=0, le=1)] = 0.3
    phrase: Literal["note", "motif", "played"] = "note"
    pitch: Pitch = 60
    seconds: Annotated[float, Field(ge=0.2, le=30)] = 2.0
    text: Annotated[str, Field(max_length=1000)] = ""


class ChooseDevice(_Command):
    """Go on on another output: a device by its full name, or None for the page itself."""

    kind: Literal["device"]
    name: Name | None


class Listen(_Command):
    """Whether anybody listens in a browser."""

    kind: Literal["listen"]
    on: bool


Command = (
    SetControl | Learn | GoTo | ChooseTimbre | Press | Lift | Pedal | SetSeed | LockSeed | Simple | ApplyPreset
    | SavePreset | Slots | Keep | Say | Vary | ChooseDevice | Listen
)  # fmt: skip
_ADAPTER: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])


def parse_command(data: bytes | str) -> Command:
    """A command from its JSON. Raises CmaudioError that says what is wrong with it, and what would be right."""
    if len(data) > MAX_BYTES:
        raise CmaudioError(f"a command of {len(data)} bytes is too long; {MAX_BYTES} are allowed")
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError as error:
        raise CmaudioError(f"not understood: {explain(error, skip=1)}") from error
