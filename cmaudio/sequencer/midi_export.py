"""A pattern or a song as a Standard MIDI File: one track for each lane; mido packs the bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import mido

from cmaudio.checks import whole_number
from cmaudio.files.atomic import write_file
from cmaudio.files.names import as_text
from cmaudio.model.file import Model
from cmaudio.score.controllers import BY_EXPRESSION, controller_value
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.grid import AutomationLane, GridPattern, Lane
from cmaudio.sequencer.unroll import PlannedNote, Section, notes_of_round, sections_to_export
from cmaudio.timing.steps import swung

TICKS_PER_BEAT = 960
MAX_ROUNDS = 256
_MOVES_A_STEP = 4
Timed = tuple[int, int, mido.Message]  # tick, rank among messages of the same tick, message


def export_midi(
    source: GridPattern | PatternBank, path: str | Path, model: Model, *, tempo: float | None = None, rounds: int = 1
) -> list[str]:
    """Write a pattern, or the song of a bank, to a MIDI file, with random choices made; an existing file is replaced.

    Args:
        source: the pattern, or the bank.
        path: of the file.
        model: names programs and the keys of pads.
        tempo: beats per minute; None for that of the bank, or 120.
        rounds: how often it is played, 1..256.

    Returns:
        Notices of what a MIDI file cannot hold.

    Raises:
        CmaudioError: a value out of range, a song without parts, or a file that cannot be written.
    """
    data, notices = encode_midi(source, model, tempo=tempo, rounds=rounds)
    write_file(path, data)
    return notices


def encode_midi(
    source: GridPattern | PatternBank, model: Model, *, tempo: float | None = None, rounds: int = 1
) -> tuple[bytes, list[str]]:
    """The bytes of the file, and notices; see `export_midi`."""
    count = whole_number("rounds", rounds, 1, MAX_ROUNDS)
    sections, title, beats_per_minute = sections_to_export(source, count, tempo)
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    head = mido.MidiTrack([mido.MetaMessage("track_name", name=as_text(title))])
    head.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(beats_per_minute)))
    song.tracks.append(head)
    notices: dict[str, None] = {}
    tracks: dict[Any, list[Timed]] = {}  # a lane that several patterns have in common is one track
    moves: dict[str, list[Timed]] = {}
    for section in sections:
        planned = [
            (number, note) for number in range(section.rounds) for note in notes_of_round(section.pattern, number)
        ]
        for lane in section.pattern.lanes:
            key = (lane.name, lane.pad, lane.channel, str(lane.timbre))
            if key not in tracks:
                tracks[key] = _program_change(lane, model, notices)
            tracks[key].extend(_notes(section, lane, planned, model))
        for automated in section.pattern.automation:
            if automated.control in BY_EXPRESSION:
                moves.setdefault(automated.control, []).extend(_automation(section, automated))
            else:
                notices[f"{automated.control!r} has no MIDI controller: its automation is left out"] = None
    song.tracks.extend(_named(key[0], events) for key, events in tracks.items())
    song.tracks.extend(_named(control, events) for control, events in moves.items())
    data = io.BytesIO()
    song.save(file=data)
    return data.getvalue(), list(notices)


def _tick(section: Section, place: float) -> int:
    """The tick of a place in steps from the start of a section."""
    beat = section.beat + swung(place, section.pattern.swing) * section.pattern.division
    return max(0, round(beat * TICKS_PER_BEAT))


def _program_change(lane: Lane, model: Model, notices: dict[str, None]) -> list[Timed]:
    program = _program(lane, model)
    if program is not None:
        return [(0, 0, mido.Message("program_change", channel=lane.channel, program=program))]
    if lane.pad is None and lane.timbre is not None:
        notices[f"lane {lane.name!r}: its timbre has no General MIDI program"] = None
    return []


def _notes(section: Section, lane: Lane, planned: list[tuple[int, PlannedNote]], model: Model) -> list[Timed]:
    channel = lane.channel if lane.pad is None else PERCUSSION_CHANNEL
    events: list[Timed] = []
    for number, note in planned:
        if note.lane is not lane:
            continue
        place = number * section.pattern.length + note.place
        start, end = _tick(section, place), _tick(section, place + note.steps)
        for pitch in note.pitches if lane.pad is None else (model.drum_keys[lane.pad],):
            on = mido.Message("note_on", channel=channel, note=pitch, velocity=note.velocity)
            events.append((start, 2, on))
            events.append((max(end, start + 1), 1, mido.Message("note_off", channel=channel, note=pitch)))
    return events


def _program(lane: Lane, model: Model) -> int | None:
    """The General MIDI program of a lane's timbre, the heaviest of a mix."""
    if lane.timbre is None or lane.pad is not None:
        return None
    name = lane.timbre if isinstance(lane.timbre, str) else max(lane.timbre, key=lane.timbre.__getitem__)
    return next((program for program, timbre in model.programs.items() if timbre == name), None)


def _automation(section: Section, lane: AutomationLane) -> list[Timed]:
    events: list[Timed] = []
    number, pattern = BY_EXPRESSION[lane.control], section.pattern
    for move in range(pattern.length * _MOVES_A_STEP):
        value = lane.value_at(move / _MOVES_A_STEP, pattern.length)
        if value is not None:
            wanted = controller_value(lane.control, value)
            message = mido.Message("control_change", channel=0, control=number, value=wanted)
            places = (each * pattern.length + move / _MOVES_A_STEP for each in range(section.rounds))
            events.extend((_tick(section, place), 0, message) for place in places)
    return events


def _named(name: str, events: list[Timed]) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=as_text(name))])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track
