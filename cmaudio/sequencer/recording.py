"""Records into a playing pattern: keys become steps at the nearest onset, in the lane of their timbre or pad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cmaudio.errors import CmaudioError
from cmaudio.model.timbres import Timbre
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.grid import MAX_GATE, MAX_LANES, MAX_PITCHES, GridPattern, GridStep, Lane, TimbreName
from cmaudio.timing.clock import Clock

_SHORTEST_GATE, _NAME_LENGTH = 0.1, 30


@dataclass(frozen=True)
class PlayedNote:
    """A note as it was played.

    Attributes:
        pitch: MIDI note number.
        velocity: 1..127.
        timbre: name or mix; None for that of the controls, or a vector.
        pad: the name of a pad.
        channel: 0..15.
        beat: where it started.
    """

    pitch: int
    velocity: int
    timbre: TimbreName | None
    pad: str | None
    channel: int
    beat: float


class Recordable(Protocol):
    """The part of a `StepSequencer` that recording uses."""

    clock: Clock

    @property
    def bank(self) -> PatternBank: ...
    def edit(self, pattern: GridPattern, name: str | None = None) -> None: ...
    def step_at(self, beat: float) -> tuple[str, int, float] | None: ...


class Recording:
    """Adds notes to the pattern that a sequencer plays; created by `StepSequencer.record`.

    Args:
        sequencer: plays the pattern.
        strength: how far notes are moved towards the nearest step, 0..1.
    """

    def __init__(self, sequencer: Recordable, strength: float) -> None:
        self._sequencer, self.strength = sequencer, strength
        self._down: dict[tuple[int, int], PlayedNote] = {}

    def press(self, beat: float, pitch: int, velocity: float, timbre: Timbre | None = None, channel: int = 0) -> None:
        """A key is pressed at a beat; timbre None is that of the controls."""
        clock = self._sequencer.clock
        pad = clock.engine.model.drums.get(pitch) if channel == PERCUSSION_CHANNEL else None
        chosen = clock.controls.timbre if timbre is None else timbre
        named = chosen if isinstance(chosen, str | dict) and pad is None else None
        if isinstance(named, dict) and len(named) == 1:
            named = next(iter(named))
        whole = max(1, min(127, round(velocity)))
        self._down[channel, pitch] = PlayedNote(pitch, whole, named, pad, channel, beat)

    def lift(self, beat: float, pitch: int, channel: int = 0) -> None:
        """The key is released: the note is added to the pattern. One that was pressed before recording is ignored."""
        note = self._down.pop((channel, pitch), None)
        if note is not None:
            self.add(note, beat)

    def add(self, note: PlayedNote, end: float) -> None:
        """Add a note that ended at a beat. It is dropped if there is no room."""
        sequencer = self._sequencer
        with sequencer.clock.lock:
            place = sequencer.step_at(note.beat)
            if place is None:
                return
            name, index, late = place
            pattern = sequencer.bank.pattern(name)
            gate = min(MAX_GATE, max(_SHORTEST_GATE, (end - note.beat) / pattern.division))
            shift = max(-0.5, min(0.5, (1 - self.strength) * late))
            try:
                sequencer.edit(with_note(pattern, index, note, gate=gate, shift=shift))
            except CmaudioError:  # full
                return


def with_note(pattern: GridPattern, index: int, note: PlayedNote, *, gate: float, shift: float) -> GridPattern:
    """A pattern with a note added to a step. Raises CmaudioError if there is no room for another lane."""
    lane = _lane_for(pattern, note)
    known = lane.steps.get(index)
    pitches: tuple[int, ...] = () if note.pad is not None else (note.pitch,)
    if known is not None and note.pad is None:
        pitches = tuple(dict.fromkeys((*known.pitches, note.pitch)))[-MAX_PITCHES:]
    fields = {"pitches": pitches, "velocity": note.velocity, "gate": round(gate, 3), "shift": round(shift, 3)}
    step = GridStep(**fields) if known is None else known.changed(**fields)  # type: ignore[arg-type]
    return pattern.with_lane(lane.with_step(index, step))


def _lane_for(pattern: GridPattern, note: PlayedNote) -> Lane:
    """The lane of a note, or a new one."""
    for lane in pattern.lanes:
        if (lane.pad, lane.timbre) == (note.pad, note.timbre) and (note.pad or lane.channel == note.channel):
            return lane
    if len(pattern.lanes) >= MAX_LANES:
        raise CmaudioError(f"there are {MAX_LANES} lanes, which is the limit; remove one")
    wanted = note.pad or (note.timbre if isinstance(note.timbre, str) else "mix" if note.timbre else "notes")
    return Lane(name=free_lane_name(pattern, wanted), timbre=note.timbre, pad=note.pad, channel=note.channel)


def free_lane_name(pattern: GridPattern, wanted: str) -> str:
    """A name that no lane of a pattern has yet, numbered if necessary."""
    names, short = [lane.name for lane in pattern.lanes], wanted[:_NAME_LENGTH]
    numbered = (f"{short} {number}" for number in range(2, MAX_LANES + 2))
    return short if short not in names else next(name for name in numbered if name not in names)
