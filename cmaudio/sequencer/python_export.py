"""A pattern or a song as a Python program that plays it with `synth.clock`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cmaudio.files.atomic import write_file
from cmaudio.model.file import DEFAULT_MODEL, Model
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.grid import AutomationLane, GridPattern, GridStep, Lane
from cmaudio.sequencer.unroll import Section, sections_to_export
from cmaudio.timing.steps import BEATS_RANGE

_WIDTH = 108
_HEAD = '''"""{title}: exported from cmaudio."""

import cmaudio
from cmaudio import Step

'''
_GROOVE = '''
def groove(clock):
    """Play it on a clock: `synth.clock`, or that of `cmaudio.render_pattern(groove, {beats:g}, "groove.wav")`."""
    clock.tempo = {tempo:g}
    start = clock.next_beat({round:g})
'''
_FOOT = """

if __name__ == "__main__":
    with cmaudio.open({model}) as synth:
        groove(synth.clock)
{start}        synth.wait({seconds:g})
"""
_START = "        synth.clock.start()\n"  # a song is not started again: its parts begin at beats of their own
_MOVE = '''
def move(clock, control, values, start, beats, rounds):
    """Set a control in every round, from a beat on."""

    def set_what_is_due(beat):
        for number in range(rounds):
            for offset, value in values.items():
                if beat <= (at := start + number * beats + offset) < beat + 1:
                    clock.controls.set(control, value, "clock", clock.sample(at))

    clock.every(1, set_what_is_due)

'''
_PART = '''
def {name}(clock, start, rounds):
    """{title}."""
'''


@dataclass(frozen=True)
class _Piece:
    """A note from one place to another, in steps of the round."""

    place: float
    end: float
    step: GridStep


def export_python(
    source: GridPattern | PatternBank, path: str | Path, model: Model, *, tempo: float | None = None
) -> Path:
    """Write a pattern, or the song of a bank, as a Python program; an existing file is replaced. Returns the file.

    Muted lanes are left out, and a song is played once. Raises CmaudioError for a song without parts, and if the file
    cannot be written.
    """
    return write_file(path, as_python(source, model, tempo=tempo).encode())


def as_python(source: GridPattern | PatternBank, model: Model, *, tempo: float | None = None) -> str:
    """The source of a program that can be run, and whose `groove` plays on any clock; see `export_python`."""
    sections, title, beats_per_minute = sections_to_export(source, 1, tempo)
    head = _HEAD.format(title=_plain(title))
    if isinstance(source, PatternBank):
        beats, before, start = sections[-1].end, 1.0, ""
        parts, calls = _parts(source, sections, model), _calls(source, sections)
    else:
        beats, before, start = 4 * source.beats, source.beats, _START
        parts, calls = [], _looped(source, model)
    groove = _GROOVE.format(beats=beats, tempo=beats_per_minute, round=before)
    name, seconds = model.manifest.name, (beats if start else beats + before) * 60 / beats_per_minute
    foot = _FOOT.format(model="" if name == DEFAULT_MODEL else repr(name), start=start, seconds=round(seconds, 2))
    return "".join([head, *parts, groove, *calls, foot])


def _looped(pattern: GridPattern, model: Model) -> list[str]:
    """A pattern that repeats without end."""
    moves = (line for automated in pattern.automation for line in _automation(pattern, automated))
    return [*_played(pattern, model), *moves]


def _function(bank: PatternBank, name: str) -> str:
    """The name of the function of a song's pattern."""
    return f"pattern_{bank.names.index(name) + 1}"


def _calls(bank: PatternBank, sections: Sequence[Section]) -> list[str]:
    places = (f"start + {round(section.beat, 9)!r}" if section.beat else "start" for section in sections)
    return [
        f"    {_function(bank, section.pattern.name)}(clock, {place}, {section.rounds})\n"
        for section, place in zip(sections, places, strict=True)
    ]


def _parts(bank: PatternBank, sections: Sequence[Section], model: Model) -> list[str]:
    """A function for each pattern of a song."""
    played = {section.pattern.name: section.pattern for section in sections}
    lines = [_MOVE] if any(pattern.automation for pattern in played.values()) else []
    for name, pattern in played.items():
        lines.append(_PART.format(name=_function(bank, name), title=_plain(name)))
        lines += _played(pattern, model, rounds="rounds")
        for automated in pattern.automation:
            if shown := _values(pattern, automated):
                lines.append(f"    values = {{\n{shown}    }}\n")
                call = f"clock, {automated.control!r}, values, start, {round(pattern.beats, 9)!r}, rounds"
                lines.append(f"    move({call})\n")
        lines.append("\n")
    return lines


def _played(pattern: GridPattern, model: Model, **settings: str) -> list[str]:
    """The notes of all lanes that are not muted."""
    lanes = (lane for lane in pattern.lanes if not lane.muted)
    keys = ((lane, None if lane.pad is None else model.drum_keys[lane.pad]) for lane in lanes)
    return [line for lane, key in keys for line in _lane(pattern, lane, key, settings)]


def _lane(pattern: GridPattern, lane: Lane, key: int | None, more: Mapping[str, str]) -> list[str]:
    pieces = _pieces(pattern, lane)
    lines: list[str] = []
    for layer in _layers(pieces):
        settings = {
            "beat": repr(round(pattern.division, 12)),
            "gate": "1.0",
            "swing": repr(pattern.swing),
            "timbre": repr(lane.pad or lane.timbre),
            "channel": repr(PERCUSSION_CHANNEL if key is not None else lane.channel),
            "seed": repr(pattern.seed),
            "every": repr(round(pattern.beats, 9)),
            **more,
        }
        gates = {piece.step.gate for piece in layer}
        if len(gates) == 1 and _on_grid(layer):
            settings["gate"] = repr(gates.pop())
            notes = _grid_notes(pattern, layer, key)
        else:
            notes = _free_notes(pattern, layer, key)
        given = ", ".join(f"{name}={value}" for name, value in settings.items())
        listed = f"        [\n{_wrapped(notes, 12)}        ],\n"
        lines.append(f"    # {_plain(lane.name)}\n    clock.play(\n{listed}        at=start, {given},\n    )\n")
    return lines


def _pieces(pattern: GridPattern, lane: Lane) -> list[_Piece]:
    """The notes of a lane in one round; those before its start are moved to its end."""
    found: list[_Piece] = []
    for index, step in lane.steps.items():
        if index >= pattern.length:
            continue
        for ratchet in range(step.ratchets):
            place = (index + step.shift + ratchet / step.ratchets) % pattern.length
            end = min(place + step.gate / step.ratchets, place + pattern.length)
            found.append(_Piece(place, end, step))
    return sorted(found, key=lambda piece: piece.place)


def _layers(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Split so that within a layer no note sounds when another starts; one that rings past the end is alone."""
    layers: list[list[_Piece]] = []
    for piece in pieces:
        room = next((layer for layer in layers if layer[-1].end <= piece.place + 1e-9), None)
        if room is None:
            layers.append([piece])
        else:
            room.append(piece)
    return layers


def _on_grid(layer: Sequence[_Piece]) -> bool:
    plain = all(piece.step.ratchets == 1 and piece.step.shift == 0 and piece.step.gate <= 1 for piece in layer)
    return plain and len({piece.place for piece in layer}) == len(layer)


def _grid_notes(pattern: GridPattern, layer: Sequence[_Piece], key: int | None) -> list[str]:
    """One note or rest for each step."""
    steps = {round(piece.place): piece.step for piece in layer}
    return [_note(steps[index], key) if index in steps else "None" for index in range(pattern.length)]


def _free_notes(pattern: GridPattern, layer: Sequence[_Piece], key: int | None) -> list[str]:
    """Notes as long as they are held, and the rests between them."""
    notes: list[str] = []
    at, least = 0.0, BEATS_RANGE[0] / pattern.division
    for number, piece in enumerate(layer):
        rest = _rest((piece.place - at) * pattern.division)
        begin = piece.place if rest else at
        end = max(piece.end, begin + least)
        if number + 1 < len(layer) and layer[number + 1].place - end < least:
            end = layer[number + 1].place  # the gap is too short for a rest
        notes += [*rest, _note(piece.step, key, (end - begin) * pattern.division)]
        at = end
    return notes


def _rest(beats: float) -> list[str]:
    return [f"Step(None, beats={round(beats, 9)!r})"] if beats >= BEATS_RANGE[0] else []


def _note(step: GridStep, key: int | None, beats: float | None = None) -> str:
    pitches = step.pitches if key is None else (key,)
    pitch = repr(pitches[0] if len(pitches) == 1 else pitches)
    fields = [pitch]
    if beats is not None:
        fields.append(f"beats={round(beats, 9)!r}")
    fields.append(f"velocity={step.velocity}")
    if step.probability < 1:
        fields.append(f"probability={step.probability!r}")
    return f"Step({', '.join(fields)})"


def _values(pattern: GridPattern, lane: AutomationLane) -> str:
    """The values of a round by beat, as lines; empty for none."""
    moves = ((index / 4, lane.value_at(index / 4, pattern.length)) for index in range(4 * pattern.length))
    values = {round(place * pattern.division, 9): round(value, 6) for place, value in moves if value is not None}
    return _wrapped([f"{beat!r}: {value!r}" for beat, value in values.items()], 8) if values else ""


def _automation(pattern: GridPattern, lane: AutomationLane) -> list[str]:
    """The values, set in every round."""
    shown, name = _values(pattern, lane), lane.control
    if not shown:
        return []
    return [
        f"    {name}_values = {{\n{shown}    }}\n\n"
        f"    def move_{name}(beat):\n"
        f"        for offset, value in {name}_values.items():\n"
        f'            clock.controls.set("{name}", value, "clock", clock.sample(beat + offset))\n\n'
        f"    clock.every({round(pattern.beats, 9)!r}, move_{name})\n"
    ]


def _wrapped(items: Sequence[str], indent: int) -> str:
    """Items of a list over several lines."""
    lines, line = [], ""
    for item in items:
        if line and len(line) + len(item) + 2 > _WIDTH - indent:
            lines.append(line)
            line = ""
        line += f"{item}, "
    return "".join(f"{' ' * indent}{each.rstrip()}\n" for each in [*lines, line])


def _plain(text: str) -> str:
    """A name as it may stand in a comment or docstring."""
    return text.replace('"', "'").replace("\\", "/")
