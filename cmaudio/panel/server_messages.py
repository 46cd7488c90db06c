"""Messages from the page's server to the instrument's process, besides the commands that it passes on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from cmaudio.strict import Strict


class Ready(Strict):
    """The page can be opened."""

    kind: Literal["ready"] = "ready"


class Failed(Strict):
    """The server cannot start."""

    kind: Literal["failed"] = "failed"
    text: str


class Listening(Strict):
    """Whether any page plays the sound."""

    kind: Literal["listening"] = "listening"
    on: bool


class Disconnected(Strict):
    """A client has left; the instrument releases what it holds."""

    kind: Literal["disconnected"] = "disconnected"
    client: str


ServerMessage = Ready | Failed | Listening | Disconnected
_ADAPTER: TypeAdapter[ServerMessage] = TypeAdapter(Annotated[ServerMessage, Field(discriminator="kind")])


def parse_server_message(data: bytes) -> ServerMessage:
    """Parse a message. Raises ValidationError for anything else, which would be a bug."""
    return _ADAPTER.validate_json(data)
