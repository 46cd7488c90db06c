"""The modulators, in a group of the controls: a button for each shows its settings and its amounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

from cmaudio.modulation.settings import MODULATION_CONTROLS, OSCILLATORS
from cmaudio.panel.web.view import View, custom

TITLES = {
    "lfo1": "LFO 1",
    "lfo2": "LFO 2",
    "envelope": "Envelope",
    "velocity": "Velocity",
    "pressure": "Pressure",
    "wheel": "Wheel",
}
HINTS = {
    "velocity": "how hard a key is struck",
    "pressure": "how hard a held key is pressed (aftertouch)",
    "wheel": "the modulation wheel, which adds vibrato; an amount of -1 on vibrato removes that",
}
_PREFIXES = {"lfo1": "lfo1", "lfo2": "lfo2", "envelope": "mod"}
Build = Callable[[Mapping[str, Any], str], object]


def is_of_modulators(name: str) -> bool:
    """Whether a control is a setting of a modulator."""
    return name in MODULATION_CONTROLS


class ModulationView(View):
    """The buttons, and the panel of each. `slider` and `choice` build a control with a label."""

    def build_with(self, slider: Build, choice: Build) -> None:
        """Create the elements."""
        definitions = {each["name"]: each for each in self.hub.introduction["definitions"]}
        names = TITLES if "velocity" in definitions else {name: TITLES[name] for name in OSCILLATORS}
        custom("cm-modulators", names="|".join(f"{name}:{title}" for name, title in names.items()))
        for modulator in names:
            with ui.element("div").classes("settings").props(f"data-modulator={modulator} hidden"):
                if modulator in HINTS:
                    ui.label(HINTS[modulator]).classes("note")
                    continue
                prefix = _PREFIXES[modulator]
                if modulator == "envelope":
                    custom("cm-curve", kind="modulation")
                with ui.element("div").classes("sliders"):
                    for name, control in definitions.items():
                        if name in MODULATION_CONTROLS and name.startswith(f"{prefix}_"):
                            self._control(control, name.removeprefix(f"{prefix}_"), slider, choice)

    def _control(self, control: Mapping[str, Any], label: str, slider: Build, choice: Build) -> None:
        named = label in ("shape", "retrigger")
        (choice if named else slider)(control, label)

    def build(self) -> None:
        """See `build_with`: the elements lie within the controls."""
