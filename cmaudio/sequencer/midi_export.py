"""A pattern as a Standard MIDI File: one track for each lane; mido packs the bytes."""

from __future__ import annotations

import io
from pathlib import Path

import mido

from cmaudio.checks import whole_number
from cmaudio.files.names import as_text
from cmaudio.files.saving import write_file
from cmaudio.model.file import Model
from cmaudio.score.controllers import BY_EXPRESSION, controller_value
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.grid import AutomationLane, GridPattern, Lane
from cmaudio.sequencer.unroll import PlannedNote, notes_of_round
from cmaudio.timing.steps import swung

TICKS_PER_BEAT = 960
MAX_ROUNDS = 256
_MOVES_A_STEP = 4
Timed = tuple[int, int, mido.Message]  # tick, rank among messages of the same tick, message


def export_midi(
    pattern: GridPattern, path: str | Path, model: Model, *, tempo: float = 120.0, rounds: int = 1
) -> list[str]:
    """Write some rounds of a pattern, with the random choices of each, to a MIDI file, replacing an existing one.

    Args:
        pattern: what to write.
        path: of the file.
        model: names programs and the keys of pads.
        tempo: beats per minute.
        rounds: number of rounds, 1..256.

    Returns:
        Notices of what a MIDI file cannot hold.

    Raises:
        CmaudioError: a value out of range, or a file that cannot be written.
    """
    data, notices = encode_pattern(pattern, model, tempo=tempo, rounds=rounds)
    write_file(path, data)
    return notices


def encode_pattern(pattern: GridPattern, model: Model, *, tempo: float, rounds: int) -> tuple[bytes, list[str]]:
    """The bytes of the file, and notices; see `export_midi`."""
    count = whole_number("rounds", rounds, 1, MAX_ROUNDS)
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    head = mido.MidiTrack([mido.MetaMessage("track_name", name=as_text(pattern.name))])
    head.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    song.tracks.append(head)
    notices: list[str] = []
    planned = [(number, note) for number in range(count) for note in notes_of_round(pattern, number)]
    for lane in pattern.lanes:
        own = [(number, note) for number, note in planned if note.lane is lane]
        song.tracks.append(_track(pattern, lane, own, model, notices))
    for automated in pattern.automation:
        if automated.control in BY_EXPRESSION:
            song.tracks.append(_automation(pattern, automated, count))
        else:
            notices.append(f"{automated.control!r} has no MIDI controller: its automation is left out")
    data = io.BytesIO()
    song.save(file=data)
    return data.getvalue(), notices


def _tick(pattern: GridPattern, place: float) -> int:
    return max(0, round(swung(place, pattern.swing) * pattern.division * TICKS_PER_BEAT))


def _track(
    pattern: GridPattern, lane: Lane, planned: list[tuple[int, PlannedNote]], model: Model, notices: list[str]
) -> mido.MidiTrack:
    channel = lane.channel if lane.pad is None else PERCUSSION_CHANNEL
    events: list[Timed] = []
    program = _program(lane, model)
    if program is not None:
        events.append((0, 0, mido.Message("program_change", channel=channel, program=program)))
    elif lane.pad is None and lane.timbre is not None:
        notices.append(f"lane {lane.name!r}: its timbre has no General MIDI program")
    for number, note in planned:
        place = number * pattern.length + note.place
        start, end = _tick(pattern, place), _tick(pattern, place + note.steps)
        for pitch in note.pitches if lane.pad is None else (model.drum_keys[lane.pad],):
            on = mido.Message("note_on", channel=channel, note=pitch, velocity=note.velocity)
            events.append((start, 2, on))
            events.append((max(end, start + 1), 1, mido.Message("note_off", channel=channel, note=pitch)))
    return _named(lane.name, events)


def _program(lane: Lane, model: Model) -> int | None:
    """The General MIDI program of a lane's timbre, the heaviest of a mix."""
    if lane.timbre is None or lane.pad is not None:
        return None
    name = lane.timbre if isinstance(lane.timbre, str) else max(lane.timbre, key=lane.timbre.__getitem__)
    return next((program for program, timbre in model.programs.items() if timbre == name), None)


def _automation(pattern: GridPattern, lane: AutomationLane, rounds: int) -> mido.MidiTrack:
    events: list[Timed] = []
    number = BY_EXPRESSION[lane.control]
    for move in range(pattern.length * _MOVES_A_STEP):
        value = lane.value_at(move / _MOVES_A_STEP, pattern.length)
        if value is not None:
            wanted = controller_value(lane.control, value)
            message = mido.Message("control_change", channel=0, control=number, value=wanted)
            places = (each * pattern.length + move / _MOVES_A_STEP for each in range(rounds))
            events.extend((_tick(pattern, place), 0, message) for place in places)
    return _named(lane.control, events)


def _named(name: str, events: list[Timed]) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=as_text(name))])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track
