"""The table of OSC addresses, derived from a model's schema: arguments, ranges and descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cmaudio.engine.buses import MAX_PAIRS
from cmaudio.instrument.recorder import MEMORY_SECONDS
from cmaudio.model.manifest import ControlDefinition
from cmaudio.osc.address import LARGE, Address, Argument
from cmaudio.score.expression import MIX
from cmaudio.score.ranges import BEND_MAX_SEMITONES, SEED_LIMIT
from cmaudio.sequencer.arpeggio import MAX_OCTAVES, MODES
from cmaudio.sequencer.grid import MAX_STEPS
from cmaudio.sequencer.song import MAX_ROUNDS
from cmaudio.timing.steps import BEATS_RANGE
from cmaudio.timing.tempo import TEMPO_RANGE

ROOT = "/cmaudio"
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
        "plays a channel, without its effects, on its own output pair; 0 returns it to the mix",
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
    Address("/link", "joins or leaves the Ableton Link session", (Argument("joined", "switch"),), "latest"),
)
_SCATTER = (
    Address(
        "/scatter/among",
        "scatters these timbres, of which every event chooses one, as the scatter controls say",
        (Argument("name", "text"),),
        "latest",
        repeats="or first",
    ),
    Address("/scatter/alone", "scatters the selected timbre only, as by default", flow="latest"),
)
_SPEECH = (
    Address("/say", "speaks a text now, in parallel with others", (Argument("text", "text"),)),
    Address(
        "/stop", "stops speech, now or after the current phoneme", (Argument("phoneme", "switch", optional=True),)
    ),
)  # fmt: skip
_ROUTE = (
    Argument("modulator", "text"),
    Argument("control", "text"),
    Argument("amount", "number", -1000, 1000, "in the control's unit"),
)
_COMMON = (
    Address("/all_off", "releases all notes and lifts the pedals", flow="latest"),
    Address("/panic", "silences everything immediately; messages with later time tags are dropped", flow="latest"),
    Address(
        "/seed",
        "seed of new notes; -1 gives each a different one",
        (Argument("seed", "whole", -1, SEED_LIMIT),),
        "latest",
    ),
    Address(
        "/route",
        "routes a modulator to a control, with an amount in the control's unit; 0 removes the route",
        _ROUTE,
        "latest",
        names=2,
    ),
    Address("/routes", "sets all routes; none without arguments", _ROUTE, "latest", repeats="or none"),
    Address("/routes/clear", "ends all routes", flow="latest"),
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
        "replaces the reverb by an impulse response in the server's folder; without a file, restores the reverb",
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
    Address("/timbre", "sets the timbre, or a mix of several", _TIMBRE, "latest", repeats="or first"),
    Address(
        "/timbre/xy",
        "sets the timbre to a point of the timbre map",
        (Argument("x", "number", -1, 1), Argument("y", "number", -1, 1)),
        "latest",
    ),
)
_NAME, _LANE = Argument("name", "text"), Argument("lane", "text")
_ON = Argument("on", "switch")
_STEP = (
    _LANE,
    Argument("step", "whole", 1, MAX_STEPS),
    Argument("velocity", "whole", 0, 127, "(MIDI velocity)"),
    Argument("key", "whole", 0, 127, "(MIDI note number)", optional=True),
)
_PART = (Argument("pattern", "text"), Argument("rounds", "whole", 1, MAX_ROUNDS))
SEQUENCER = (
    Address("/sequencer/play", "plays the selected pattern, from the next bar if something plays", flow="latest"),
    Address("/sequencer/stop", "stops playing and recording", flow="latest"),
    Address("/sequencer/pattern", "selects a pattern; while playing, it takes over at the bar", (_NAME,), "latest"),
    Address(
        "/sequencer/song",
        "sets the parts of the song; none without arguments",
        _PART,
        "latest",
        repeats="or none",
    ),
    Address(
        "/sequencer/song/play",
        "plays the song from its first part, from the next bar if something plays",
        flow="latest",
    ),
    Address("/sequencer/song/loop", "repeats the song after its last part, or ends it there", (_ON,), "latest"),
    Address("/sequencer/record", "starts or stops recording into the playing pattern", (_ON,), "latest"),
    Address("/sequencer/mute", "mutes or unmutes a lane of the selected pattern", (_LANE, _ON), "latest", names=1),
    Address("/sequencer/step", "sets a step of a lane, counted from 1; velocity 0 removes it", _STEP),
    Address("/arpeggiator", "switches the arpeggiator on or off", (_ON,), "latest"),
    Address("/arpeggiator/mode", f"order of the keys: {', '.join(MODES)}", (Argument("mode", "text"),), "latest"),
    Address("/arpeggiator/octaves", "number of octaves", (Argument("octaves", "whole", 1, MAX_OCTAVES),), "latest"),
    Address(
        "/arpeggiator/rate", "length of a step", (Argument("rate", "number", BEATS_RANGE[0], 16, "beats"),), "latest"
    ),
    Address("/arpeggiator/gate", "length of notes", (Argument("gate", "number", 0.05, 4, "steps"),), "latest"),
    Address(
        "/arpeggiator/swing", "delay of every second step", (Argument("swing", "number", 0, 0.9, "steps"),), "latest"
    ),
    Address("/arpeggiator/hold", "whether to continue after keys are released", (_ON,), "latest"),
)


def _mix(control: ControlDefinition) -> Address:
    """An address for a control that channels have as well."""
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
        *(_SPEECH if speaks else _NOTES + _CLOCK + SEQUENCER + _SCATTER),
        *_COMMON,
    )
    return {ROOT + a.path: _rooted(a) for a in own}


def outgoing(definitions: Mapping[str, ControlDefinition], speaks: bool) -> list[Address]:
    """The addresses that are sent to subscribers."""
    key, channel, velocity = _KEY, Argument("channel", "whole", 0, 15), Argument("velocity", "whole", 1, 127)
    own = [
        *map(_control, definitions.values()),
        _TIMBRES[0],
        Address("/routes", "all routes of modulators to controls; none without arguments", _ROUTE, repeats="or none"),
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
        Address("/state/stolen", "held notes cut off so far", (Argument("notes", "whole", 0, 2**31 - 1),)),
        Address("/state/seconds", "seconds synthesised so far", (Argument("seconds", "number", 0, LARGE, "s"),)),
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
    return replace(a, path=ROOT + a.path)
