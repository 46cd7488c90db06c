"""The controls that scatter the current timbre, played by `cmaudio.timing.scatter`."""

from __future__ import annotations

from cmaudio.model.manifest import ControlDefinition

DENSITY_MAX, GRID_MAX, PITCH_MAX, LEVEL_MAX_DB = 50.0, 16.0, 48.0, 48.0
SCATTER = "scatter"
_SLOW_MAX, _BAR = 20.0, 4.0  # upper ends of sliders


def _control(name: str, unit: str, most: float, default: float, description: str) -> ControlDefinition:
    return ControlDefinition(name=name, unit=unit, min=0, max=most, default=default, description=description)


SCATTER_CONTROLS = {
    control.name: control
    for control in (
        _control(SCATTER, "events a second", _SLOW_MAX, 0, "triggers the timbre at random; 0 stops"),
        _control("scatter_grid", "beats", _BAR, 0, "scatter: grid of the events; 0: no grid"),
        _control("scatter_pitch", "semitones", 24, 0, "scatter: spread of pitch, up and down"),
        _control("scatter_level", "dB", 24, 6, "scatter: spread of level, downwards"),
        _control("scatter_pan", "of full", 1, 0.5, "scatter: spread of pan, to both sides"),
        _control("scatter_distance", "of far", 1, 0.2, "scatter: spread of distance, away from the listener"),
        _control("scatter_colour", "of full", 1, 0.2, "scatter: spread of sharpness and size, or of brightness"),
    )
}
SCATTERED_PLACES = ("scatter_pan", "scatter_distance")  # audible in stereo only
