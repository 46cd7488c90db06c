"""The table of OSC addresses, derived from a model's schema: arguments, ranges and descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cmaudio.checks import in_range, whole_number
from cmaudio.engine.outputs import MAX_PAIRS
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import MEMORY_SECONDS
from cmaudio.model.manifest import ControlDefinition
from cmaudio.score.expression import MIX
from cmaudio.score.ranges import BEND_MAX_SEMITONES, SEED_LIMIT
from cmaudio.timing.tempo import TEMPO_RANGE

ROOT = "/cmaudio"
TEXT_MAX = 4000  # characters
_LARGE = 1e6
_SHOWN = 60


@dataclass(frozen=True)
class Argument:
    """One argument of a message.

    Attributes:
        kind: a "switch" is 0 or 1, True or False; a "whole" number may be sent as a float.
        min: smallest number.
        max: largest number.
        default: the default of a control.
        optional: whether it may be left out, which gives None.
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
        repeats: whether the arguments may be repeated; then the first argument alone is also allowed.
    """

    path: str
    description: str
    arguments: tuple[Argument, ...] = ()
    flow: Literal["each", "latest", "note"] = "each"
    names: int = 0
    repeats: bool = False

    def read(self, values: Sequence[object]) -> list[Any]:
        """The parsed arguments, None for those left out. Raises CmaudioError for a wrong count or value."""
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
        """The arguments as text."""
        said = "; ".join(map(str, self.arguments)) or "none"
        return f"{self.arguments[0]}, or repeatedly {said}" if self.repeats else said

    def _count(self, values: Sequence[object]) -> CmaudioError:
        return CmaudioError(f"{self.path} takes {self.signature}; {len(values)} given")


def _number(value: Any) -> Any:
    """A 32-bit float as its shortest decimal: 0.1, not 0.10000000149."""
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
    Address("/note", "note on, or note off with velocity 0", (_KEY, _VELOCITY, _CHANNEL), "note"),
    Address(
        "/note/on",
        "note on; without a velocity, that of the controls is used",
        (_KEY, Argument("velocity", "number", 1, 127, "(MIDI velocity)", optional=True), _CHANNEL),
        "note",
    ),
    Address("/note/off", "note off; pedals may hold the note", (_KEY, _CHANNEL)),
    Address(
        "/note/bend",
        "bends one note, in addition to the bends of its channel and of the instrument",
        (_KEY, Argument("bend", "number", -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones"), _CHANNEL),
        "latest",
        names=1,
    ),
    Address("/sustain", "sustain pedal", (_DOWN, _CHANNEL)),
    Address("/sostenuto", "sostenuto pedal", (_DOWN, _CHANNEL)),
    Address(
        "/output",
        "plays a channel, without its effects, on a pair of outputs of its own; 0 brings it back to the mix",
        (Argument("channel", "whole", 0, 15), Argument("pair", "whole", 0, MAX_PAIRS)),
        "latest",
        names=1,
    ),
)
_TEMPO = Argument("tempo", "number", *TEMPO_RANGE, "beats per minute")
_CLOCK = (
    Address("/tempo", "tempo of the clock", (_TEMPO,), "latest"),
    Address("/clock/start", "starts the clock and its patterns from the beginning", flow="latest"),
    Address("/clock/stop", "stops the clock", flow="latest"),
    Address("/link", "joins or leaves the session of Ableton Link", (Argument("joined", "switch"),), "latest"),
)
_SPEECH = (
    Address("/say", "speaks a text now, in parallel with others", (Argument("text", "text"),)),
    Address(
        "/stop", "stops speech, now or after the current phoneme", (Argument("phoneme", "switch", optional=True),)
    ),
)  # fmt: skip
_COMMON = (
    Address("/all_off", "releases all notes and lifts the pedals", flow="latest"),
    Address("/panic", "silences everything immediately; messages with later time tags are dropped", flow="latest"),
    Address(
        "/seed",
        "seed of new notes; -1 gives each a different one",
        (Argument("seed", "whole", -1, SEED_LIMIT),),
        "latest",
    ),
    Address("/seed/lock", "protects the seed from /seed/roll", (Argument("locked", "switch"),), "latest"),
    Address("/seed/roll", "draws a random seed, unless the seed is locked", flow="latest"),
    Address("/preset", "applies a preset by name", (Argument("name", "text"),), "latest"),
    Address("/record/start", "starts recording to the server's folder (.wav, .flac)", (_SOUND,), "latest"),
    Address("/record/stop", "stops recording; answered by /cmaudio/recorded", flow="latest"),
    Address(
        "/keep",
        "saves the last sound to the server's folder; answered by /cmaudio/kept",
        (_SOUND, Argument("seconds", "number", 0.1, MEMORY_SECONDS, "s", optional=True)),
        "latest",
    ),
    Address(
        "/impulse_response",
        "replaces the reverb by the space of a sound file in the server's folder; without a file it is back",
        (Argument("path", "text", optional=True),),
        "latest",
    ),
    Address("/query", "sends all values to the sender", flow="latest"),
    Address(
        "/subscribe", "subscribes a port of the sender's machine to changes, state and notes", (_PORT,), "latest", 1
    ),
    Address("/unsubscribe", "ends a subscription; without a port, all of the sender", (_PORT,), "latest", 1),
)  # fmt: skip
_TIMBRES = (
    Address("/timbre", "sets the timbre, or a mix of several", _TIMBRE, "latest", repeats=True),
    Address(
        "/timbre/xy",
        "sets the timbre to a point of the timbre map",
        (Argument("x", "number", -1, 1), Argument("y", "number", -1, 1)),
        "latest",
    ),
)


def _mix(control: ControlDefinition) -> Address:
    """One that a channel has a value of its own of."""
    value = Argument(control.name, "number", control.min, control.max, control.unit)
    return Address(
        f"/{control.name}",
        f"{control.description}; of a channel, or of the whole instrument",
        (value, _CHANNEL),
    )


def _control(control: ControlDefinition) -> Address:
    value = Argument("value", "number", control.min, control.max, control.unit, control.default)
    return Address(f"/control/{control.name}", control.description, (value,), "latest")


def incoming(definitions: Mapping[str, ControlDefinition], speaks: bool) -> dict[str, Address]:
    """Full path -> address, for all that a server with these controls accepts."""
    mix = [_mix(definitions[name]) for name in MIX if name in definitions]
    own = (
        *map(_control, definitions.values()),
        *mix,
        *_TIMBRES,
        *(_SPEECH if speaks else _NOTES + _CLOCK),
        *_COMMON,
    )
    return {ROOT + a.path: _rooted(a) for a in own}


def outgoing(definitions: Mapping[str, ControlDefinition], speaks: bool) -> list[Address]:
    """The addresses that are sent to subscribers."""
    key, channel, velocity = _KEY, Argument("channel", "whole", 0, 15), Argument("velocity", "whole", 1, 127)
    own = [
        *map(_control, definitions.values()),
        _TIMBRES[0],
        Address("/seed", "seed of new notes; -1: each gets another", (Argument("seed", "whole", -1, SEED_LIMIT),)),
        Address("/seed/lock", "whether the seed is locked", (Argument("locked", "switch"),)),
        Address("/preset", "answers /query: the last preset applied", (Argument("name", "text"),)),
        Address("/state/level_db", "peak level since the last message", (Argument("level", "number", -120, 0, "dB"),)),
        Address("/state/voices", "sounding voices", (Argument("voices", "whole", 0, 256),)),
        Address(
            "/state/load", "load of synthesis; 1 is all of the time available", (Argument("load", "number", 0, 100),)
        ),
        Address("/state/lead_ms", "length of the output buffer", (Argument("lead", "number", 0, 10_000, "ms"),)),
        Address("/state/underruns", "underruns so far", (Argument("underruns", "whole", 0, 2**31 - 1),)),
        Address("/state/stolen", "notes cut off so far for others", (Argument("notes", "whole", 0, 2**31 - 1),)),
        Address("/state/seconds", "seconds synthesised so far", (Argument("seconds", "number", 0, _LARGE, "s"),)),
        Address("/kept", "answers /keep: the file", (_SOUND,)),
        Address("/recorded", "answers /record/stop: the file", (_SOUND,)),
        Address("/error", "reports an error in a message", (Argument("message", "text"),)),
    ]
    if not speaks:
        own.append(Address("/state/tempo", "tempo of Ableton Link, while it is joined", (_TEMPO,)))
        own.append(
            Address("/state/link_peers", "peers there; -1 after leaving", (Argument("peers", "whole", -1, 9999),))
        )
        own.append(Address("/event/note_on", "a note starts to sound", (key, velocity, channel)))
        own.append(Address("/event/note_off", "its key is released", (key, channel)))
    return [_rooted(a) for a in own]


def _rooted(a: Address) -> Address:
    return Address(ROOT + a.path, a.description, a.arguments, a.flow, a.names, a.repeats)
