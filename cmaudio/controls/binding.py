"""A binding of a MIDI controller to a control, as stored in files and presets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Protocol

from pydantic import Field

from cmaudio.strict import Strict

Controller = int | Literal["bend", "pressure"]


class Binding(Strict, strict=True):
    """A controller and the control that it moves.

    Attributes:
        channel: 0..15, None for any.
        controller: MIDI controller 0..119, "bend" or "pressure".
        control: the control's name.
        min: value of the control, in its unit, at the controller's lowest position; may be greater than `max`.
        max: value at the controller's highest position.
    """

    channel: Annotated[int, Field(ge=0, le=15)] | None = None
    controller: Annotated[int, Field(ge=0, le=119)] | Literal["bend", "pressure"]
    control: Annotated[str, Field(min_length=1, max_length=60)]
    min: float
    max: float

    def value(self, position: float) -> float:
        """The control's value at a controller position of 0..1."""
        return self.min + position * (self.max - self.min)

    def __str__(self) -> str:
        name = f"controller {self.controller}" if isinstance(self.controller, int) else self.controller
        channel = "any channel" if self.channel is None else f"channel {self.channel + 1}"
        return f"{name} on {channel} -> {self.control} {self.min:g}..{self.max:g}"


class BindingSet(Protocol):
    """The active bindings, which a preset reads and extends."""

    def __iter__(self) -> Iterator[Binding]: ...
    def add(self, binding: Binding) -> None: ...
