"""Voices with modulated controls: their trajectories add the output of `cmaudio.modulation.timeline`.

A voice without modulation keeps its plain trajectories, at no extra cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cmaudio.modulation.settings import Modulation
from cmaudio.modulation.timeline import ModulationTimeline
from cmaudio.score.expression import ENVELOPE, EXPRESSIONS, Expression
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice import Voice

Array = NDArray[np.float64]
PLACE = ("timbre_x", "timbre_y")
_SOURCES = {"pressure": "pressure", "wheel": "vibrato"}  # the wheel sets a vibrato of 0..1 semitones
_PLACE_SAMPLES, _MOST_KNOWN = 512, 32
_GAIN_EXPRESSION = "level"  # the target of the control "gain"
Change = Callable[[Array, Array], Array]


class Plane(Protocol):
    """The timbre space on a plane; see `cmaudio.controls.timbre_map`."""

    def vector(self, x: float, y: float) -> Array: ...
    def place(self, vector: Array) -> tuple[float, float]: ...


class ModulatedTrajectory(Trajectory):
    """A trajectory whose values are changed by `change(times (N,), plain values (N, ...))`."""

    def __init__(self, plain: Trajectory, change: Change) -> None:
        self._times, self._values, self._change = plain._times, plain._values, change

    @property
    def constant(self) -> bool:
        return False

    def rests_at(self, time: float) -> bool:
        return False

    def at(self, times: Array) -> Array:
        plain = self.plain(times)
        return self._change(times, plain) if len(times) else plain


@dataclass(frozen=True)
class ModulatedVoice:
    """A voice as the timeline sees it."""

    voice: Voice

    @property
    def began_at(self) -> int:
        return self.voice.params.at

    @property
    def velocity(self) -> float:
        return self.voice.params.velocity / 127

    @property
    def released_at(self) -> float:
        return self.voice.released_at

    def played(self, modulator: str, times: Array) -> Array:
        return self.voice.expression[_SOURCES[modulator]].plain(times)


def modulate(voice: Voice, timeline: ModulationTimeline, plane: Plane | None) -> None:
    """Let the timeline modulate the targets of its present routes; existing modulation continues."""
    note, modulation = ModulatedVoice(voice), timeline.now
    moved = modulation.controls
    for name, expression in EXPRESSIONS.items():
        control, plain = "gain" if name == _GAIN_EXPRESSION else name, voice.expression[name]
        if control in moved and not isinstance(plain, ModulatedTrajectory):
            voice.expression[name] = ModulatedTrajectory(plain, _within(expression, timeline, control, note))
            voice.gains.changed()
    if "bend" in moved and not isinstance(voice.pitch, ModulatedTrajectory):
        voice.pitch = ModulatedTrajectory(voice.pitch, _added(timeline, note))
    if plane is not None and moved.intersection(PLACE) and not isinstance(voice.timbre, ModulatedTrajectory):
        voice.timbre = ModulatedTrajectory(voice.timbre, _MovedPlace(timeline, note, plane, voice.timbre))
    if isinstance(voice, NoteVoice):
        voice.bent_by = frozenset(_SOURCES[r.modulator] for r in modulation.of("bend") if r.modulator in _SOURCES)
        if moved.intersection(ENVELOPE):
            voice.shape_envelope()


def _within(expression: Expression, timeline: ModulationTimeline, control: str, note: ModulatedVoice) -> Change:
    """Adds to an expression, within its range."""
    return lambda times, plain: np.clip(plain + timeline.offset(control, times, note), expression.min, expression.max)


def _added(timeline: ModulationTimeline, note: ModulatedVoice) -> Change:
    return lambda times, plain: plain + timeline.offset("bend", times, note)


class _MovedPlace:
    """Moves a timbre on the map: adds the difference between the moved position and its own to its vector.

    Computed every `_PLACE_SAMPLES` and interpolated: a position costs as much as a thousand additions.
    """

    def __init__(self, timeline: ModulationTimeline, note: ModulatedVoice, plane: Plane, timbre: Trajectory) -> None:
        self._timeline, self._note, self._plane, self._timbre = timeline, note, plane, timbre
        self._known = dict[int, Array]()  # offsets by number of the grid point
        self._places = dict[bytes, tuple[tuple[float, float], Array]]()
        self._moved_by: Modulation | None = None

    def __call__(self, times: Array, vectors: Array) -> Array:
        """(N,) times, (N, Z) timbres -> (N, Z)"""
        if self._moved_by is not self._timeline.now:
            self._known, self._moved_by = {}, self._timeline.now
        first, last = math.floor(times[0] / _PLACE_SAMPLES), math.ceil(times[-1] / _PLACE_SAMPLES)
        grid = range(first, max(last, first + 1) + 1)
        added = np.stack([self._point(number) for number in grid])
        part = times / _PLACE_SAMPLES - first
        left = np.minimum(part.astype(np.int64), len(grid) - 2)
        added = added[left] + (part - left)[:, None] * (added[left + 1] - added[left])
        wide = max(added.shape[1], vectors.shape[1])
        return _widened(vectors, wide) + _widened(added, wide)

    def _point(self, number: int) -> Array:
        """(Z,) offset at a grid point."""
        if number not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            time = np.array([float(number * _PLACE_SAMPLES)])
            here, before = self._place(self._timbre.plain(time)[0])
            moved = [float(self._timeline.offset(name, time, self._note)[0]) for name in PLACE]
            moved_place = [min(1.0, max(-1.0, a + b)) for a, b in zip(here, moved, strict=True)]
            self._known[number] = self._plane.vector(*moved_place) - before
        return self._known[number]

    def _place(self, timbre: Array) -> tuple[tuple[float, float], Array]:
        """The position of a timbre, and the map's timbre there."""
        key = timbre.tobytes()
        if key not in self._places:
            if len(self._places) >= _MOST_KNOWN:
                self._places.clear()
            here = self._plane.place(timbre)
            self._places[key] = here, self._plane.vector(*here)
        return self._places[key]


def _widened(vectors: Array, wide: int) -> Array:
    if vectors.shape[1] == wide:
        return vectors
    return np.pad(vectors, ((0, 0), (0, wide - vectors.shape[1])))
