"""Scattering set by controls, for the panel, OSC, MIDI controllers, sliders and presets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.controls.controls import Controls
from cmaudio.controls.scatter import SCATTER, SCATTER_CONTROLS, SCATTERED_PLACES
from cmaudio.score.ranges import SEED_MAX
from cmaudio.timing.scatter import Scatter
from cmaudio.timing.scattering import Scattering, ScatterSettings
from cmaudio.timing.scheduler import Scheduler

_FOLLOWED = frozenset((*SCATTER_CONTROLS, "seed"))


class ScatterByControls:
    """Scatters the controls' timbre, or several, while the control `scatter` is above 0.

    If the controls have a seed, every start gives the same events; otherwise different ones.
    """

    def __init__(self, scheduler: Scheduler, controls: Controls) -> None:
        self._scheduler, self._controls = scheduler, controls
        self._scatter: Scatter | None = None
        self._timbres: Sequence[NDArray[np.float64]] = ()
        self._random_seed = 0
        if SCATTER in controls.definitions:
            controls.subscribe(self._follow)
            self._update()

    def choose(self, timbres: Sequence[NDArray[np.float64]]) -> None:
        """Set the vectors (Z,) from which every event chooses one; none for the timbre of the controls."""
        with self._scheduler.lock:
            self._timbres = timbres
            if self._scatter is not None:
                self._scatter.choose(timbres)

    def _follow(self, name: str, value: object, source: str) -> None:
        if name in _FOLLOWED:
            self._update()

    def _update(self) -> None:
        with self._scheduler.lock:
            density = self._controls[SCATTER]
            playing = self._scatter is not None and self._scatter.playing
            if self._scatter is not None and not density:
                self._scatter.stop()
                self._scatter = None
            elif self._scatter is not None and playing:
                self._scatter.change(**self._settings())
            elif density:
                self._random_seed = secrets.randbelow(SEED_MAX)
                here = self._scheduler.next_beat(self._controls["scatter_grid"])
                settings = Scattering(**self._settings())
                self._scatter = Scatter(self._scheduler, self._controls, self._timbres, settings, here)
                self._scheduler.add(self._scatter)

    def _settings(self) -> ScatterSettings:
        controls = self._controls
        settings = ScatterSettings(
            density=controls[SCATTER],
            grid=controls["scatter_grid"],
            pitch_spread=controls["scatter_pitch"],
            level_spread=controls["scatter_level"],
            colour_spread=controls["scatter_colour"],
            seed=self._random_seed if controls.seed is None else controls.seed,
        )
        if all(name in controls.definitions for name in SCATTERED_PLACES):
            settings["pan_spread"] = controls["scatter_pan"]
            settings["distance_spread"] = controls["scatter_distance"]
        return settings
