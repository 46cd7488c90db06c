"""The commands of a page about the step sequencer and the arpeggiator, with their limits.

Lanes and steps are those of a pattern that is named, so that a page that lags changes nothing else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from cmaudio.panel.page_command import PageCommand
from cmaudio.sequencer.arpeggio import Mode
from cmaudio.sequencer.grid import MAX_STEPS, GridStep
from cmaudio.sequencer.song import MAX_PARTS, MAX_ROUNDS
from cmaudio.timing.tempo import TEMPO_RANGE

Text = Annotated[str, Field(min_length=1, max_length=200)]
Index = Annotated[int, Field(ge=0, lt=MAX_STEPS)]


class RunSequencer(PageCommand):
    """Play the pattern or the song, or stop, or record what is played, moved to the nearest step by `strength`."""

    kind: Literal["sequencer"]
    action: Literal["play", "play_song", "stop", "record", "stop_recording"]
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0


class TurnClick(PageCommand):
    """Turn the metronome on or off."""

    kind: Literal["click"]
    on: bool


class ChoosePattern(PageCommand):
    """Choose, remove or clear a pattern; add an empty one, or a copy of the present one."""

    kind: Literal["pattern"]
    action: Literal["select", "remove", "clear", "add", "copy"]
    pattern: Text


class SetPattern(PageCommand):
    """Change what a pattern is; what is left out stays."""

    kind: Literal["set_pattern"]
    pattern: Text
    name: Text | None = None
    length: int | None = None
    division: float | None = None
    swing: float | None = None
    seed: int | None = None


class AddLane(PageCommand):
    """Add a lane of a timbre or a pad; neither is the timbre of the controls."""

    kind: Literal["add_lane"]
    pattern: Text
    timbre: Text | None = None
    pad: Text | None = None


class ChangeLane(PageCommand):
    """Mute a lane, or not, or remove it."""

    kind: Literal["lane"]
    action: Literal["mute", "unmute", "remove"]
    pattern: Text
    lane: Text


class SetStep(PageCommand):
    """Set a step of a lane; None removes it."""

    kind: Literal["step"]
    pattern: Text
    lane: Text
    index: Index
    step: GridStep | None


class ChangeStep(PageCommand):
    """Change how a step that is set plays; what is left out stays, so that two changes at once are both kept.

    louder: what is added to the velocity, as far as it goes.
    """

    kind: Literal["change_step"]
    pattern: Text
    lane: Text
    index: Index
    pitches: list[str | int] | None = None
    velocity: int | None = None
    louder: Annotated[int, Field(ge=-126, le=126)] | None = None
    gate: float | None = None
    probability: float | None = None
    ratchets: int | None = None
    shift: float | None = None

    def changes(self) -> dict[str, Any]:
        """The fields of the step that were given."""
        return self.model_dump(include=set(GridStep.model_fields), exclude_none=True)


class Automate(PageCommand):
    """Add a control to automate, or leave it alone again, or let it move in lines or not."""

    kind: Literal["automate"]
    action: Literal["add", "remove", "smooth", "stepped"]
    pattern: Text
    control: Text


class SetAutomation(PageCommand):
    """Set the value of a control at a step; None removes it."""

    kind: Literal["automation"]
    pattern: Text
    control: Text
    index: Index
    value: float | None


class SetTempo(PageCommand):
    """Set the clock's tempo, which the bank of patterns keeps."""

    kind: Literal["tempo"]
    tempo: Annotated[float, Field(ge=TEMPO_RANGE[0], le=TEMPO_RANGE[1])]


class SetArpeggiator(PageCommand):
    """Change the arpeggiator; what is left out stays."""

    kind: Literal["arpeggiator"]
    on: bool | None = None
    mode: Mode | None = None
    octaves: int | None = None
    rate: float | None = None
    gate: float | None = None
    swing: float | None = None
    hold: bool | None = None


class ExportPattern(PageCommand):
    """Write the present pattern, or the song, to the folder of takes, as MIDI or Python, or all patterns as JSON."""

    kind: Literal["export"]
    format: Literal["mid", "py", "json"]
    song: bool = False


class AddPart(PageCommand):
    """Add a pattern at the end of the song."""

    kind: Literal["add_part"]
    pattern: Text


class ChangePart(PageCommand):
    """Move a part of the song, or remove it; `pattern` is the one that the page shows there."""

    kind: Literal["part"]
    action: Literal["earlier", "later", "remove"]
    index: Annotated[int, Field(ge=0, lt=MAX_PARTS)]
    pattern: Text


class RepeatPart(PageCommand):
    """Set for how many rounds a part of the song is played."""

    kind: Literal["part_rounds"]
    index: Annotated[int, Field(ge=0, lt=MAX_PARTS)]
    pattern: Text
    rounds: Annotated[int, Field(ge=1, le=MAX_ROUNDS)]


class LoopSong(PageCommand):
    """Start the song over after its last part, or end it there."""

    kind: Literal["loop_song"]
    on: bool


SequencerCommand = (
    RunSequencer | TurnClick | ChoosePattern | SetPattern | AddLane | ChangeLane | SetStep | ChangeStep | Automate
    | SetAutomation | SetTempo | SetArpeggiator | ExportPattern | AddPart | ChangePart | RepeatPart | LoopSong
)  # fmt: skip


def pattern_step_name(command: SequencerCommand) -> str:
    """What a step of the history is called that such a command has made."""
    match command:
        case SetStep(lane=lane) | ChangeStep(lane=lane):
            return f"steps of {lane}"
        case AddLane() | ChangeLane():
            return "lanes"
        case Automate(control=control) | SetAutomation(control=control):
            return f"automation of {control.replace('_', ' ')}"
        case SetTempo():
            return "tempo"
        case AddPart() | ChangePart() | RepeatPart() | LoopSong():
            return "song"
    return "patterns"
