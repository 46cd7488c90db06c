"""The modulation of one engine over time: the settings and oscillator phases at any sample.

Everything is a function of the sample, so the same events give the same sound whatever the read sizes. Values are
computed every `GRID_SAMPLES` and interpolated linearly, which smooths the steps of square waves and changed settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cmaudio.effects.settings import TEMPO
from cmaudio.modulation.phase import Phase
from cmaudio.modulation.settings import OSCILLATORS, Modulation, Modulator
from cmaudio.modulation.shapes import envelope, oscillation

GRID_SAMPLES = 256
Array = NDArray[np.float64]
_KEPT = 32  # past settings; a wheel bound to a rate makes many


class ModulatedNote(Protocol):
    """The part of a sounding note that modulators read. Times (N,) are samples of its own clock, 0 = its onset."""

    @property
    def began_at(self) -> int:
        """The onset on the engine's clock."""

    @property
    def velocity(self) -> float:
        """0..1"""

    @property
    def released_at(self) -> float:
        """When its key was released, inf if it is down."""

    def played(self, modulator: str, times: Array) -> Array:
        """(N,) values 0..1 of "pressure" or "wheel"."""


@dataclass(frozen=True)
class _SettingsFrom:
    """Settings that apply from a sample on."""

    sample: float
    modulation: Modulation


class ModulationTimeline:
    """The modulation of an engine as a function of the sample.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        first = Modulation()
        self._settings = (_SettingsFrom(-np.inf, first),)
        self._cycles = tuple(Phase(sample_rate, each.hz) for each in first.oscillators)
        self._beats = Phase(sample_rate, TEMPO / 60)

    @property
    def now(self) -> Modulation:
        """The latest settings."""
        return self._settings[-1].modulation

    def change(self, modulation: Modulation, at: int) -> None:
        """Use other settings from a sample on."""
        for cycles, before, after in zip(self._cycles, self.now.oscillators, modulation.oscillators, strict=True):
            if before.hz != after.hz:
                cycles.set_rate(after.hz, at)
        kept = [each for each in self._settings if each.sample < at]
        self._settings = (*(kept or self._settings[:1]), _SettingsFrom(at, modulation))[-_KEPT:]

    def set_tempo(self, tempo: float, at: float) -> None:
        """Set the tempo of LFOs that follow beats, in beats per minute, from a sample on."""
        self._beats.set_rate(tempo / 60, at)

    def set_beat(self, beat: float, at: float) -> None:
        """Align a beat with a sample."""
        self._beats.jump(beat, at)

    def offset(self, control: str, times: Array, note: ModulatedNote | None = None) -> Array:
        """(N,) offsets that modulation adds to a control at ascending times (N,).

        Args:
            control: its name.
            times: samples of the note's clock; without a note, of the engine's.
            note: the note that is modulated; without one, only the LFOs act.
        """
        first, last = np.floor(times[0] / GRID_SAMPLES), np.ceil(times[-1] / GRID_SAMPLES)
        grid = np.arange(first, last + 1) * GRID_SAMPLES
        values = self._on_grid(control, grid, note)
        return np.interp(times, grid, values)

    def value(self, modulator: Modulator, time: float, note: ModulatedNote | None = None) -> float:
        """A modulator at a time, as for `offset`."""
        grid = np.array([time])
        return float(self._value(modulator, self.now, grid, grid + (0 if note is None else note.began_at), note)[0])

    def _on_grid(self, control: str, grid: Array, note: ModulatedNote | None) -> Array:
        begins = 0 if note is None else note.began_at
        clock = grid + begins
        values = np.zeros(len(grid))
        until = len(grid)
        for since in reversed(self._settings):
            start = int(np.searchsorted(clock, since.sample)) if since.sample > clock[0] else 0
            if start < until:
                part = slice(start, until)
                for route in since.modulation.of(control):
                    values[part] += route.amount * self._value(
                        route.modulator, since.modulation, grid[part], clock[part], note
                    )
                until = start
            if not start:
                break
        return values

    def _value(
        self, modulator: Modulator, modulation: Modulation, grid: Array, clock: Array, note: ModulatedNote | None
    ) -> Array:
        """(N,) values of a modulator."""
        if modulator in OSCILLATORS:
            return self._oscillation(OSCILLATORS.index(modulator), modulation, clock, note)
        if note is None:
            return np.zeros(len(grid))
        if modulator == "velocity":
            return np.full(len(grid), note.velocity)
        if modulator == "envelope":
            rate = self.sample_rate
            return envelope(modulation.envelope, grid / rate, note.released_at / rate)
        return note.played(modulator, grid)

    def _oscillation(self, number: int, modulation: Modulation, clock: Array, note: ModulatedNote | None) -> Array:
        settings = modulation.oscillators[number]
        phase = self._beats if settings.beats else self._cycles[number]
        cycles = phase.at(clock)
        if settings.retrigger and note is not None:
            cycles = cycles - phase.at(np.array([float(note.began_at)]))
        return oscillation(settings.shape, cycles / (settings.beats or 1.0) + settings.phase, number)
