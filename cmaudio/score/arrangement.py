"""Fitting a score to a model: which timbre plays each program and drum, and what had to be substituted or left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.score.events import PERCUSSION_CHANNEL, Event, NoteOff, NoteOn, Score
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS, nearest_percussion, nearest_program

Missing = Literal["nearest", "omit"]

DRUMS = 128  # NoteOn programs from 128 up are the model's drums: 128 + key on the percussion channel
WINDOW_SECONDS = 0.1
NOTES_IN_WINDOW = 256  # twice the voices of a renderer

Timed = tuple[float, Event]


@dataclass(frozen=True)
class Arrangement:
    """A score fitted to a model: the timbre of each program, the score to play, and notices of changes."""

    score: Score
    timbres: dict[int, Timbre]
    notices: list[str]


def arrange(
    score: Score,
    model: Model,
    *,
    timbre: Timbre | None = None,
    missing: Missing = "nearest",
    percussion: Missing = "omit",
) -> Arrangement:
    """Choose a timbre for every program of a score.

    Args:
        timbre: plays all notes, overriding their programs.
        missing: programs that the model lacks are played by the nearest timbre, or left out.
        percussion: drums that the model lacks are left out, or played by a pitched timbre where one is near.
    """
    for name, value in (("missing", missing), ("percussion", percussion)):
        if value not in ("nearest", "omit"):
            raise CmaudioError(f"{name} must be 'nearest' or 'omit', not {value!r}")
    notices = list(score.notices)
    score = _thinned(_arrange_percussion(score, model, percussion, notices), notices)
    drums: dict[int, Timbre] = {DRUMS + key: name for key, name in model.drums.items()}
    if timbre is not None:
        model.timbre_vector(timbre)
        return Arrangement(score, dict.fromkeys(range(DRUMS), timbre) | drums, notices)
    timbres = dict(model.programs) | drums
    for program in score.programs:
        if program not in model.programs:
            _substitute(program, model, missing, timbres, notices)
    return Arrangement(score, timbres, notices)


def _thinned(score: Score, notices: list[str]) -> Score:
    events = list(playable(score.events))
    left_out = sum(isinstance(event, NoteOn) for _, event in score.events) - sum(
        isinstance(event, NoteOn) for _, event in events
    )
    if left_out:
        notices.append(f"{left_out} notes left out: more than {NOTES_IN_WINDOW} begin within {WINDOW_SECONDS:g} s")
    return replace(score, events=events) if left_out else score


def _substitute(program: int, model: Model, missing: Missing, timbres: dict[int, Timbre], notices: list[str]) -> None:
    lack = f"this model has no {PROGRAMS[program]!r} (program {program + 1})"
    if missing == "omit":
        notices.append(f"{lack}: its notes are left out")
        return
    stand_in = (
        model.programs[nearest_program(program, model.programs)] if model.programs else model.manifest.default_timbre
    )
    timbres[program] = stand_in
    notices.append(f"{lack}: {stand_in!r} plays it")


def _arrange_percussion(score: Score, model: Model, percussion: Missing, notices: list[str]) -> Score:
    """The score with percussion on the model's drums; missing ones are left out, or played by pitched timbres."""
    if not score.percussion:
        return score
    lacking = [key for key in score.percussion if key not in model.drums]
    places = {key: nearest_percussion(key) for key in lacking} if percussion == "nearest" else {}
    stand_ins = {key: place for key, place in places.items() if place and place[0] in model.programs}
    left_out = [PERCUSSION.get(key, f"key {key}") for key in lacking if key not in stand_ins]
    if left_out:
        lack = "lacks some" if model.drums else "has no"
        notices.append(f"this model {lack} percussion: {', '.join(left_out)} left out")
    if stand_ins:
        names = (f"{PERCUSSION.get(key, key)} by {model.programs[place[0]]!r}" for key, place in stand_ins.items())
        notices.append(f"percussion played by the nearest timbre: {', '.join(names)}")
    played = {key: (DRUMS + key, key) for key in model.drums} | stand_ins
    events: list[tuple[float, Event]] = []
    for seconds, event in score.events:
        match event:
            case NoteOn(channel, pitch, velocity, _) if channel == PERCUSSION_CHANNEL:
                if pitch in played:
                    program, key = played[pitch]
                    events.append((seconds, NoteOn(channel, key, velocity, program)))
            case NoteOff(channel, pitch) if channel == PERCUSSION_CHANNEL:
                if pitch in played:
                    events.append((seconds, NoteOff(channel, played[pitch][1])))
            case _:
                events.append((seconds, event))
    return Score(score.name, events, score.duration, score.programs, [], score.notices)


def playable(events: Iterable[Timed]) -> Iterator[Timed]:
    """The events of a score without the notes, and their ends, beyond the first 256 that start in a tenth of a second.

    "Black MIDI" files have tens of thousands of notes per second. A voice that is stolen as soon as it has started
    takes as long to compute as an audible one.

    Args:
        events: (seconds, event) in time order; every NoteOn has its NoteOff before the key is struck again.
    """
    window, count = -1, 0
    left_out: set[tuple[int, int]] = set()  # channel and pitch of notes left out that have not ended
    for seconds, event in events:
        match event:
            case NoteOn(channel, pitch):
                if int(seconds / WINDOW_SECONDS) != window:
                    window, count = int(seconds / WINDOW_SECONDS), 0
                count += 1
                if count > NOTES_IN_WINDOW:
                    left_out.add((channel, pitch))
                    continue
            case NoteOff(channel, pitch) if (channel, pitch) in left_out:
                left_out.remove((channel, pitch))
                continue
        yield seconds, event
