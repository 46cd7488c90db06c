"""The one table of OSC addresses, made from a model's schema: what they take, in which range, and what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cmaudio.checks import in_range, whole_number
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import MEMORY_SECONDS
from cmaudio.model.manifest import ControlDefinition
from cmaudio.score.ranges import BEND_MAX_SEMITONES, SEED_LIMIT

ROOT = "/cmaudio"
TEXT_MAX = 4000  # characters
_LARGE = 1e6
_SHOWN = 60


@dataclass(frozen=True)
class Argument:
    """One value of a message. A switch is 0 or 1, True or False; whole numbers may come as floats."""

    name: str
    kind: Literal["number", "whole", "switch", "text"]
    min: float = 0.0
    max: float = 1.0
    unit: str = ""
    default: float | None = None  # of a control
    optional: bool = False  # left out, it is None

    def read(self, value: object) -> float | int | bool | str:
        """The value as it is meant. Raises CmaudioError for another type, NaN, or one out of range."""
        if self.kind == "text":
            if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
                raise CmaudioError(
                    f"{self.name} must be a text of 1 to {TEXT_MAX} characters, not {str(value)[:_SHOWN]!r}"
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

    flow: how much of it is followed in a flood: "each", the "latest" of those that move the same thing (which the
    first `names` arguments say), or as a "strike" of a note.
    repeats: the arguments may come again and again; a single one is enough.
    """

    path: str
    description: str
    arguments: tuple[Argument, ...] = ()
    flow: Literal["each", "latest", "strike"] = "each"
    names: int = 0
    repeats: bool = False

    def read(self, values: Sequence[object]) -> list[Any]:
        """The arguments as they are meant, those left out as None. Raises CmaudioError for a wrong count or value."""
        if self.repeats:
            period = len(self.arguments)
            if len(values) != 1 and (not values or len(values) % period):
                raise self._count(values)
            return [self.arguments[i % period].read(value) for i, value in enumerate(values)]
        needed = sum(not argument.optional for argument in self.arguments)
        if not needed <= len(values) <= len(self.arguments):
            raise self._count(values)
        given = [argument.read(value) for argument, value in zip(self.arguments, values, strict=False)]
        return given + [None] * (len(self.arguments) - len(given))

    @property
    def signature(self) -> str:
        """Its arguments in words."""
        said = "; ".join(map(str, self.arguments)) or "none"
        return f"{self.arguments[0]}, or again and again {said}" if self.repeats else said

    def _count(self, values: Sequence[object]) -> CmaudioError:
        return CmaudioError(f"{self.path} takes {self.signature}; {len(values)} given")


def _number(value: Any) -> Any:
    """A 32-bit float as the number that was meant: 0.1, not 0.10000000149."""
    if isinstance(value, float) and abs(value) < _LARGE and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value[:_SHOWN] if isinstance(value, str) else value


_KEY = Argument("key", "whole", 0, 127, "(MIDI note number)")
_CHANNEL = Argument("channel", "whole", 0, 15, optional=True)
_DOWN = Argument("down", "switch")
_SOUND = Argument("path", "text")
_VELOCITY = Argument("velocity", "number", 0, 127, "(MIDI velocity)")
_PORT = Argument("port", "whole", 1, 65535, optional=True)
_TIMBRE = (Argument("name", "text"), Argument("weight", "number", -1000, 1000))
_NOTES = (
    Address("/note", "a key goes down, or up with velocity 0", (_KEY, _VELOCITY, _CHANNEL), "strike"),
    Address(
        "/note/on",
        "a key goes down; without a velocity, with that of the controls",
        (_KEY, Argument("velocity", "number", 1, 127, "(MIDI velocity)", optional=True), _CHANNEL),
        "strike",
    ),
    Address("/note/off", "a key goes up; pedals may hold its note", (_KEY, _CHANNEL)),
    Address(
        "/note/bend",
        "bends one note, on top of its channel and of the whole instrument",
        (_KEY, Argument("bend", "number", -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones"), _CHANNEL),
        "latest",
        names=1,
    ),
    Address("/sustain", "the right pedal", (_DOWN, _CHANNEL)),
    Address("/sostenuto", "the middle pedal", (_DOWN, _CHANNEL)),
)
_SPEECH = (
    Address("/say", "says a text now, beside what is being said", (Argument("text", "text"),)),
    Address(
        "/stop", "ends what is being said, at once or with its phoneme", (Argument("phoneme", "switch", optional=True),)
    ),
)  # fmt: skip
_COMMON = (
    Address("/all_off", "releases everything, and lifts the pedals", flow="latest"),
    Address("/panic", "silence at once; what was sent ahead is dropped", flow="latest"),
    Address(
        "/seed",
        "new notes are drawn from it; -1: each has its own",
        (Argument("seed", "whole", -1, SEED_LIMIT),),
        "latest",
    ),
    Address("/seed/lock", "keeps the seed from being drawn anew", (Argument("locked", "switch"),), "latest"),
    Address("/seed/roll", "draws another seed, unless it is locked", flow="latest"),
    Address("/preset", "sets the instrument by a preset's name", (Argument("name", "text"),), "latest"),
    Address("/record/start", "records from now on, into the server's folder (.wav, .flac)", (_SOUND,), "latest"),
    Address("/record/stop", "ends the recording; answered by /cmaudio/recorded", flow="latest"),
    Address(
        "/keep",
        "writes what was played last, into the server's folder; answered by /cmaudio/kept",
        (_SOUND, Argument("seconds", "number", 0.1, MEMORY_SECONDS, "s", optional=True)),
        "latest",
    ),
    Address("/query", "all values are sent back to where the question came from", flow="latest"),
    Address(
        "/subscribe", "changes, state and notes are sent to this port of the sender's machine", (_PORT,), "latest", 1
    ),
    Address("/unsubscribe", "ends that; without a port all that the sender asked for", (_PORT,), "latest", 1),
)  # fmt: skip
_TIMBRES = (
    Address("/timbre", "goes to a timbre, or to a mix of several", _TIMBRE, "latest", repeats=True),
    Address(
        "/timbre/xy",
        "goes to a place of the timbre map",
        (Argument("x", "number", -1, 1), Argument("y", "number", -1, 1)),
        "latest",
    ),
)


def _control(control: ControlDefinition) -> Address:
    value = Argument("value", "number", control.min, control.max, control.unit, control.default)
    return Address(f"/control/{control.name}", control.description, (value,), "latest")


def incoming(definitions: Mapping[str, ControlDefinition], speaks: bool) -> dict[str, Address]:
    """Whole path -> address, of all that a server with these controls understands."""
    own = (*map(_control, definitions.values()), *_TIMBRES, *(_SPEECH if speaks else _NOTES), *_COMMON)
    return {ROOT + a.path: _rooted(a) for a in own}


def outgoing(definitions: Mapping[str, ControlDefinition], speaks: bool) -> list[Address]:
    """What is sent to whoever asked for it."""
    key, channel, velocity = _KEY, Argument("channel", "whole", 0, 15), Argument("velocity", "whole", 1, 127)
    own = [
        *map(_control, definitions.values()),
        _TIMBRES[0],
        Address("/seed", "-1: every note has its own", (Argument("seed", "whole", -1, SEED_LIMIT),)),
        Address("/seed/lock", "whether the seed is kept", (Argument("locked", "switch"),)),
        Address("/preset", "answers /query: the preset that was applied last", (Argument("name", "text"),)),
        Address("/state/level_db", "peak since the last time", (Argument("level", "number", -120, 0, "dB"),)),
        Address("/state/voices", "that sound", (Argument("voices", "whole", 0, 256),)),
        Address("/state/load", "of synthesis, 1 is all there is", (Argument("load", "number", 0, 100),)),
        Address("/state/lead_ms", "sound made ahead", (Argument("lead", "number", 0, 10_000, "ms"),)),
        Address("/state/underruns", "underruns so far", (Argument("underruns", "whole", 0, 2**31 - 1),)),
        Address("/state/seconds", "of sound made so far", (Argument("seconds", "number", 0, _LARGE, "s"),)),
        Address("/kept", "answers /keep: the file", (_SOUND,)),
        Address("/recorded", "answers /record/stop: the file", (_SOUND,)),
        Address("/error", "what was wrong with a message", (Argument("message", "text"),)),
    ]
    if not speaks:
        own.append(Address("/event/note_on", "a note begins to be heard", (key, velocity, channel)))
        own.append(Address("/event/note_off", "its key goes up", (key, channel)))
    return [_rooted(a) for a in own]


def _rooted(a: Address) -> Address:
    return Address(ROOT + a.path, a.description, a.arguments, a.flow, a.names, a.repeats)
