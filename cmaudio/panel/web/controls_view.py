"""The controls section: sliders, and the effects in groups that fold away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nicegui import ui

from cmaudio.controls.scatter import SCATTER
from cmaudio.effects.settings import SETTINGS
from cmaudio.modulation.settings import MODULATION_CHOICES
from cmaudio.panel.web.hub import Hub
from cmaudio.panel.web.modulation_view import ModulationView, is_of_modulators
from cmaudio.panel.web.view import View, button, custom, fold, leave_when_chosen, section
from cmaudio.score.expression import ENVELOPE, SENDS
from cmaudio.synthesis.texture_features import TEXTURE_CONTROLS

_WITHOUT_SLIDER = ("timbre_x", "timbre_y", "steps")  # shown as the map, and as a switch
_PLACE = ("pan", "width", "spread", "distance")
_TONE = ("brightness", "resonance")
_KEYBOARD = ("bend", "bend_range", "pressure")
_TEXTURE, _MODULATION = "texture", "modulation"
_TITLES = {
    _TEXTURE: "Texture",
    "tone": "Tone",
    "envelope": "Envelope",
    "place": "Place",
    "reverb": "Reverb",
    "chorus": "Chorus",
    "delay": "Delay",
    SCATTER: "Scatter",
    "keyboard": "Keyboard",
    _MODULATION: "Modulation",
}
_CURVES = ("tone", "envelope", "reverb", "delay")  # groups that are also drawn as curves
_OPEN = {_TEXTURE: "", "tone": "tall", "envelope": "tall"}  # at first, and on which screens; see static/fold.js
_FINE_AT_FIRST = ("_rate", "_beats", "mod_attack", "mod_decay", "mod_release")  # small values get more travel
_AMOUNTS = {SCATTER: "density"}  # label of a group's amount, if not level
_NO_SPACE = "none"
_OCTAVES = "octaves of time"  # shown as multiples of the recorded time; see static/written.js
_BRIEFLY = {_OCTAVES: "", "dB per octave": "dB/oct", "MIDI velocity": "", "times": "×"}

Definition = Mapping[str, Any]


def group_of(name: str) -> str:
    """The group of a control, a key of `_TITLES`; empty for those that are always shown."""
    if name in TEXTURE_CONTROLS:
        return _TEXTURE
    if name in _PLACE:
        return "place"
    if name in _TONE:
        return "tone"
    if name in _KEYBOARD:
        return "keyboard"
    if name in ENVELOPE:
        return "envelope"
    first = name.partition("_")[0]
    return first if first in (*SENDS, SCATTER) else ""


def brief_unit(unit: str) -> str:
    """A unit in the short form shown beside a value; fractions ("of full") are plain numbers."""
    return "" if unit.startswith("of ") else _BRIEFLY.get(unit, unit)


def limits(control: Definition) -> str:
    """The range of a control, as its values are shown."""
    low, high, unit = control["min"], control["max"], control["unit"]
    return f"× {2**low:.2g} to × {2**high:g}" if unit == _OCTAVES else f"{low:g} to {high:g} {unit}"


class ControlsView(View):
    """A slider for each control, or named choices, and the impulse response."""

    def __init__(self, hub: Hub, client: str) -> None:
        super().__init__(hub, client)
        self._choices: dict[str, ui.toggle] = {}
        self._space: ui.select | None = None
        self._modulation = ModulationView(hub, client)

    def build(self) -> None:
        shown = [
            each
            for each in self.hub.introduction["definitions"]
            if each["name"] not in _WITHOUT_SLIDER and not is_of_modulators(each["name"])
        ]
        with section("controls", "Controls"):
            button("reset", lambda: self.send("reset"), hint="reset all controls to their defaults").classes("corner")
            grouped = {group: [each for each in shown if group_of(each["name"]) == group] for group in ("", *_TITLES)}
            with ui.element("div").classes("groups"):
                self._build_group(_TEXTURE, grouped.pop(_TEXTURE))  # the main controls of such a sound
                with ui.element("div").classes("sliders"):
                    for control in grouped.pop(""):
                        self._slider(control)
                for group, controls in grouped.items():
                    self._build_group(group, controls)
                with fold(_MODULATION, _TITLES[_MODULATION]):
                    self._modulation.build_with(self._slider, self._choice_of)

    def _build_group(self, group: str, controls: Sequence[Definition]) -> None:
        if not controls:
            return
        with fold(group, _TITLES[group], _OPEN.get(group)):
            if group in _CURVES:
                custom("cm-curve", kind=group)
            with ui.element("div").classes("sliders"):
                for control in controls:
                    name = control["name"]
                    rest = name.removeprefix(f"{group}_").replace("_", " ")
                    label = _AMOUNTS.get(name, "amount") if name == group else rest
                    choices = SETTINGS[name].choices if name in SETTINGS else ()
                    if choices:
                        self._choice(control, label, choices)
                    else:
                        self._slider(control, label)
                if group == "reverb":
                    self._build_space()

    def _slider(self, control: Definition, label: str = "") -> None:
        custom(
            "cm-slider",
            control=control["name"],
            label=label or control["name"].replace("_", " "),
            named=control["name"].replace("_", " "),
            unit=control["unit"],
            brief=brief_unit(control["unit"]),
            min=control["min"],
            max=control["max"],
            default=control["default"],
            power=3 if control["name"].endswith(_FINE_AT_FIRST) and control["name"] not in SETTINGS else 1,
            title=f"{control['description']} ({limits(control)}); double-click resets it, right-click assigns MIDI",
        )

    def _choice_of(self, control: Definition, label: str) -> None:
        self._choice(control, label, MODULATION_CHOICES[control["name"]])

    def _choice(self, control: Definition, label: str, choices: Sequence[str]) -> None:
        name = control["name"]
        with ui.element("div").classes("choice") as row:
            ui.label(label)
            toggle = ui.toggle(dict(enumerate(choices)), on_change=lambda: self._choose(name))
            toggle.props("dense no-caps unelevated toggle-text-color=black").classes("named")
        row.props["title"] = f"{control['description']}; right-click assigns MIDI"
        row.on("contextmenu.prevent", partial(self.send, "learn", name=name))
        self._choices[name] = toggle

    def _choose(self, name: str) -> None:
        if self._choices[name].value is not None:
            self.send("set", name=name, value=float(self._choices[name].value))

    def _build_space(self) -> None:
        self._space = ui.select([_NO_SPACE], label="impulse response", with_input=True, on_change=self._choose_space)
        leave_when_chosen(self._space).props("dense outlined options-dense").classes("wide whole")
        self._space.tooltip("a sound file from the takes folder that replaces the reverb")

    def _choose_space(self) -> None:
        if self._space is not None and self._space.value:
            self.send("space", file=None if self._space.value == _NO_SPACE else self._space.value)

    def follow(self, changes: Mapping[str, Any]) -> None:
        with self.quietly():
            for name, (value, _) in changes.get("controls", {}).items():
                if name in self._choices:
                    self._choices[name].set_value(round(value))
            if self._space is not None and ("files" in changes or "space" in changes):
                current = self.hub.state.get("space")
                names = [file["name"] for file in self.hub.state.get("files", [])]
                used = [current] if current and current not in names else []
                self._space.set_options([_NO_SPACE, *used, *names], value=current or _NO_SPACE)
