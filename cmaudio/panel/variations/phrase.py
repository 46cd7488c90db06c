"""What variations play: a held note, a short motif, or what was played last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.panel.commands import RenderVariations
from cmaudio.score.events import Event, NoteOff, NoteOn

_MOTIF = (0, 3, 7, 12, 7, 10, 5, 0)  # semitones above the given pitch
_PLAYED_SECONDS = 30.0


class PhraseNote(NamedTuple):
    """One note: seconds from the start, MIDI pitch and velocity, duration in seconds."""

    at: float
    pitch: int
    velocity: int
    seconds: float


def phrase(command: RenderVariations, velocity: int, recorder: Recorder) -> list[PhraseNote]:
    """The notes that each variation plays. Raises CmaudioError if recent notes are requested and there are none."""
    if command.phrase == "note":
        return [PhraseNote(0.0, command.pitch, velocity, command.seconds)]
    if command.phrase == "motif":
        each = command.seconds / len(_MOTIF)
        return [PhraseNote(i * each, min(127, command.pitch + up), velocity, each) for i, up in enumerate(_MOTIF)]
    rate, end = recorder.sample_rate, recorder.made_samples
    start = max(0, end - round(_PLAYED_SECONDS * rate))
    events = [((at - start) / rate, event) for at, event in recorder.events(start, end)]
    notes = played_notes(events, (end - start) / rate)
    if not notes:
        raise CmaudioError(f"nothing was played in the last {_PLAYED_SECONDS:g} seconds: play something first")
    return notes


def played_notes(events: Sequence[tuple[float, Event]], end: float) -> list[PhraseNote]:
    """The notes among events, with times relative to the first one.

    Args:
        events: events with their times in seconds.
        end: time at which still-sounding notes end, in seconds.
    """
    sounding: dict[tuple[int, int], tuple[float, int]] = {}
    notes: list[PhraseNote] = []
    for at, event in events:
        match event:
            case NoteOn(channel, pitch, velocity):
                sounding[channel, pitch] = at, velocity
            case NoteOff(channel, pitch) if (channel, pitch) in sounding:
                since, velocity = sounding.pop((channel, pitch))
                notes.append(PhraseNote(since, pitch, velocity, at - since))
    notes += [PhraseNote(since, pitch, velocity, end - since) for (_, pitch), (since, velocity) in sounding.items()]
    first = min((note.at for note in notes), default=0.0)
    return sorted(note._replace(at=note.at - first) for note in notes)
