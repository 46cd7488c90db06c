"""Short notation for lanes: a list of notes, or a string of hits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.sequencer.grid import MAX_STEPS, GridStep, Lane, TimbreName
from cmaudio.timing.steps import TIE

_HITS = {"x": 96, "X": 120, "o": 60}  # sign -> velocity
_RESTS = ".-"
_SPACING = " |"
GridNote = int | str | tuple[int | str, ...] | None | GridStep | Mapping[str, Any]


def note_lane(
    name: str, notes: Iterable[GridNote], *, timbre: TimbreName | None = None, channel: int = 0, **defaults: Any
) -> Lane:
    """A lane of notes.

    Args:
        name: of the lane.
        notes: one per step: a number, a name, a chord (a tuple of those), None for a rest, "_" to hold the previous
            note for another step, or a `GridStep` (or a dict of its fields).
        timbre: name or mix; None for that of the controls.
        channel: MIDI channel 0..15.
        defaults: fields of every `GridStep` that does not set its own, such as `velocity` and `gate`.

    Raises:
        CmaudioError: an invalid step, which is named.
    """
    steps: dict[int, GridStep] = {}
    last = -1
    for index, note in enumerate(notes):
        try:
            if isinstance(note, str) and note.strip() == TIE:
                if last < 0:
                    raise CmaudioError('"_" holds the note before it, and there is none')
                steps[last] = steps[last].changed(gate=steps[last].gate + 1)
            elif note is not None:
                steps[index], last = _step(note, defaults), index
        except CmaudioError as error:
            raise CmaudioError(f"step {index + 1} of lane {name!r}: {error}") from None
    return Lane(name=name, timbre=timbre, channel=channel, steps=steps)


def _step(note: GridNote, defaults: Mapping[str, Any]) -> GridStep:
    if isinstance(note, GridStep):
        return note
    return GridStep(**dict(defaults) | (dict(note) if isinstance(note, Mapping) else {"pitches": note}))


def pad_lane(pad: str, hits: str, *, name: str | None = None, **defaults: Any) -> Lane:
    """A lane of a drum or another pad.

    Args:
        pad: its name.
        hits: one character per step: "x" is a hit, "X" a hard one, "o" a soft one, "." and "-" are rests; spaces and
            "|" may separate them.
        name: of the lane, by default that of the pad.
        defaults: fields of every `GridStep`, such as `gate` and `probability`.

    Raises:
        CmaudioError: another character, or too many.
    """
    signs = [sign for sign in hits if sign not in _SPACING]
    wrong = next((sign for sign in signs if sign not in _HITS and sign not in _RESTS), None)
    if wrong is not None or len(signs) > MAX_STEPS:
        raise CmaudioError(f'hits are at most {MAX_STEPS} of "x", "X", "o" and ".", such as "x..x..x.", not {hits!r}')
    steps = {i: GridStep(**{"velocity": _HITS[sign]} | defaults) for i, sign in enumerate(signs) if sign in _HITS}
    return Lane(name=name or pad, pad=pad, steps=steps)
