"""A pattern as a Python program that plays it with `synth.clock`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cmaudio.files.saving import write_file
from cmaudio.model.file import DEFAULT_MODEL, Model
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.grid import AutomationLane, GridPattern, GridStep, Lane
from cmaudio.timing.steps import BEATS_RANGE

_WIDTH = 108
_HEAD = '''"""{title}: exported from cmaudio."""

import cmaudio
from cmaudio import Step


def groove(clock):
    """Play it on a clock: `synth.clock`, or that of `cmaudio.render_pattern(groove, {beats:g}, "groove.wav")`."""
    clock.tempo = {tempo:g}
    start = clock.next_beat({round:g})
'''
_FOOT = """

if __name__ == "__main__":
    with cmaudio.open({model}) as synth:
        groove(synth.clock)
        synth.clock.start()
        synth.wait({seconds:g})
"""


@dataclass(frozen=True)
class _Piece:
    """A note from one place to another, in steps of the round."""

    place: float
    end: float
    step: GridStep


def export_python(pattern: GridPattern, path: str | Path, model: Model, *, tempo: float = 120.0) -> Path:
    """Write a pattern as a Python program, replacing an existing file. Returns the file.

    Muted lanes are left out. Raises CmaudioError if it cannot be written.
    """
    return write_file(path, as_python(pattern, model, tempo=tempo).encode())


def as_python(pattern: GridPattern, model: Model, *, tempo: float = 120.0) -> str:
    """The source of the program; its `groove` plays on any clock."""
    lines = [_HEAD.format(title=_plain(pattern.name), round=pattern.beats, beats=4 * pattern.beats, tempo=tempo)]
    for lane in pattern.lanes:
        if not lane.muted:
            lines.extend(_lane(pattern, lane, None if lane.pad is None else model.drum_keys[lane.pad]))
    for automated in pattern.automation:
        lines.extend(_automation(pattern, automated))
    name = model.manifest.name
    seconds = 4 * pattern.beats * 60 / tempo
    lines.append(_FOOT.format(model="" if name == DEFAULT_MODEL else repr(name), seconds=round(seconds, 2)))
    return "".join(lines)


def _lane(pattern: GridPattern, lane: Lane, key: int | None) -> list[str]:
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


def _automation(pattern: GridPattern, lane: AutomationLane) -> list[str]:
    """The values, set in every round."""
    moves = ((index / 4, lane.value_at(index / 4, pattern.length)) for index in range(4 * pattern.length))
    values = {round(place * pattern.division, 9): round(value, 6) for place, value in moves if value is not None}
    if not values:
        return []
    shown = _wrapped([f"{beat!r}: {value!r}" for beat, value in values.items()], 8)
    name = lane.control
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
