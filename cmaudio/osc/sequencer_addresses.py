"""The OSC addresses of the step sequencer and the arpeggiator."""

from __future__ import annotations

from cmaudio.osc.address import Address, Argument
from cmaudio.sequencer.arpeggio import MAX_OCTAVES, MODES
from cmaudio.sequencer.grid import MAX_STEPS
from cmaudio.sequencer.song import MAX_ROUNDS
from cmaudio.timing.steps import BEATS_RANGE

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
