"""One OSC address: its arguments, with their ranges, and how messages to it are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cmaudio.checks import in_range, whole_number
from cmaudio.errors import CmaudioError

TEXT_MAX = 4000  # characters
LARGE = 1e6
_SHOWN = 60


@dataclass(frozen=True)
class Argument:
    """One argument of a message.

    Attributes:
        kind: a "switch" is 0 or 1, True or False; a "whole" number may be sent as a float.
        min: smallest number.
        max: largest number.
        default: the default of a control.
        optional: whether it may be omitted, which gives None.
    """

    name: str
    kind: Literal["number", "whole", "switch", "text"]
    min: float = 0.0
    max: float = 1.0
    unit: str = ""
    default: float | None = None
    optional: bool = False

    def read(self, value: object) -> float | int | bool | str:
        """The parsed value. Raises CmaudioError for another type, NaN, or a value out of range."""
        if self.kind == "text":
            if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
                raise CmaudioError(
                    f"{self.name} must be a string of 1 to {TEXT_MAX} characters, not {str(value)[:_SHOWN]!r}"
                )
            return value
        if self.kind == "switch":
            if isinstance(value, bool):
                return value
            return in_range(self.name, _number(value), 0, 1, "off or on") >= 0.5
        if self.kind == "whole":
            whole = int(value) if isinstance(value, float) and value.is_integer() else value
            return whole_number(self.name, _number(whole), int(self.min), int(self.max))
        return in_range(self.name, _number(value), self.min, self.max, self.unit)

    def __str__(self) -> str:
        if self.kind == "text":
            said = "text"
        elif self.kind == "switch":
            said = "0 or 1"
        else:
            limits = (f"{int(limit)}" if self.kind == "whole" else f"{limit:g}" for limit in (self.min, self.max))
            said = ("whole, " if self.kind == "whole" else "") + " to ".join(limits)
            said += f" {self.unit}" if self.unit else ""
            said += "" if self.default is None else f", {self.default:g} by default"
        return f"[{self.name}: {said}]" if self.optional else f"{self.name}: {said}"


@dataclass(frozen=True)
class Address:
    """One address and its arguments.

    Attributes:
        flow: what passes in a flood: "each" message, the "latest" of those that set the same thing, or "note" starts
            up to a lower limit.
        names: how many of the first arguments identify the thing that is set.
        repeats: whether the arguments may be repeated, and what is allowed besides: the first alone, or none at all.
    """

    path: str
    description: str
    arguments: tuple[Argument, ...] = ()
    flow: Literal["each", "latest", "note"] = "each"
    names: int = 0
    repeats: Literal["", "or first", "or none"] = ""

    def read(self, values: Sequence[object]) -> list[Any]:
        """The parsed arguments, None for omitted ones. Raises CmaudioError for a wrong count or value."""
        if self.repeats:
            period = len(self.arguments)
            if len(values) != self._besides and (not values or len(values) % period):
                raise self._count(values)
            return [self.arguments[i % period].read(value) for i, value in enumerate(values)]
        needed = sum(not argument.optional for argument in self.arguments)
        if not needed <= len(values) <= len(self.arguments):
            raise self._count(values)
        given = [argument.read(value) for argument, value in zip(self.arguments, values, strict=False)]
        return given + [None] * (len(self.arguments) - len(given))

    @property
    def signature(self) -> str:
        """The arguments as text."""
        said = "; ".join(map(str, self.arguments)) or "none"
        besides = self.arguments[0] if self._besides else "none"
        return f"{besides}, or repeatedly {said}" if self.repeats else said

    @property
    def _besides(self) -> int:
        """How many arguments of those that repeat are allowed besides whole repetitions."""
        return 1 if self.repeats == "or first" else 0

    def _count(self, values: Sequence[object]) -> CmaudioError:
        return CmaudioError(f"{self.path} takes {self.signature}; {len(values)} given")


def _number(value: Any) -> Any:
    """A 32-bit float as its shortest decimal: 0.1, not 0.10000000149."""
    if isinstance(value, float) and abs(value) < LARGE and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value[:_SHOWN] if isinstance(value, str) else value
