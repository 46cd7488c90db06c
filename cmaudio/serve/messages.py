"""The messages of clients over the web socket: JSON objects with a "type"; text and notes share the first one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from cmaudio.errors import explain
from cmaudio.serve.failure import Failure
from cmaudio.serve.speech_request import Format
from cmaudio.strict import Strict

Name = Annotated[str, Field(max_length=200)]
NoteId = Annotated[int, Field(ge=0, lt=2**31)]


class Start(Strict):
    """The first message. `lead_ms`: how far ahead audio is made; a shorter lead responds sooner."""

    type: Literal["start"]
    model: Name
    voice: Name | None = None
    format: Format = "pcm"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    lead_ms: Annotated[float, Field(ge=20, le=20_000)] | None = None
    polyphony: Annotated[int, Field(ge=1, le=16)] = 8
    rate: float = 1.0
    pitch: float = 0.0
    pitch_range: float = 1.0
    energy: float = 0.0


class Text(Strict):
    """The next piece of the text, with its spaces. `flush`: the text so far is complete."""

    type: Literal["text"]
    text: str
    flush: bool = False


class Steer(Strict):
    """Change how the text is spoken from now on."""

    type: Literal["steer"]
    rate: float | None = None
    pitch: float | None = None
    pitch_range: float | None = None
    energy: float | None = None


class Stop(Strict):
    """Stop speaking, or all notes."""

    type: Literal["stop"]
    after: Literal["now", "phoneme"] = "now"


class End(Strict):
    """No more text or notes follow; everything requested is still played."""

    type: Literal["end"]


class NoteOnMessage(Strict):
    """Start a note; the client chooses its `id`."""

    type: Literal["note_on"]
    id: NoteId
    pitch: float | Name
    velocity: float = 96
    timbre: Name | dict[Name, float] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class NoteOffMessage(Strict):
    """Release a note."""

    type: Literal["note_off"]
    id: NoteId


class Bend(Strict):
    """Bend a note."""

    type: Literal["bend"]
    id: NoteId
    semitones: float
    seconds: float = 0.005


class Morph(Strict):
    """Morph a note to another timbre."""

    type: Literal["morph"]
    id: NoteId
    timbre: Name | dict[Name, float]
    seconds: float = 0.0


class Express(Strict):
    """Shape a note or, without `id`, the instrument; see `cmaudio.score.expression`."""

    type: Literal["express"]
    id: NoteId | None = None
    name: Name
    value: float


class SustainMessage(Strict):
    """Press or lift the sustain pedal."""

    type: Literal["sustain"]
    down: bool


Message = Annotated[
    Start | Text | Steer | Stop | End | NoteOnMessage | NoteOffMessage | Bend | Morph | Express | SustainMessage,
    Field(discriminator="type"),
]
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def parse_message(data: str | None) -> Message:
    """A message from a text frame. Raises Failure that names what is wrong; None stands for a binary frame."""
    if data is None:
        raise Failure(400, "messages are JSON in text frames", "invalid_message")
    try:
        return _MESSAGE.validate_json(data)
    except ValidationError as error:
        raise Failure(400, explain(error), "invalid_message") from error
