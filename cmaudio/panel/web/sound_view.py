"""The sound section: timbre, presets, seed, one or two steps, and two slots for comparing."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import partial
from typing import Any

from nicegui import ui

from cmaudio.panel.web.browse_view import BrowseView
from cmaudio.panel.web.hub import Hub
from cmaudio.panel.web.view import (
    View,
    button,
    fold,
    leave_when_chosen,
    lit,
    question,
    section,
    show_star,
    star,
)

_STEPS = {1: "fast", 2: "fine"}
_MOST_SHOWN = 2  # timbres of a mix
_ALONE = 0.995  # a timbre of this weight counts as the only one


def favourites_first(names: Iterable[str], favourites: Container[str]) -> dict[str, str]:
    """Options of a list, sorted by name, favourites first."""
    return {
        name: f"★ {name}" if name in favourites else name
        for name in sorted(names, key=lambda name: (name not in favourites, name.casefold()))
    }


class SoundView(View):
    """The section beside the map."""

    def __init__(self, hub: Hub, client: str) -> None:
        super().__init__(hub, client)
        self.browse = BrowseView(hub, client)

    def build(self) -> None:
        with section("sound", "Sound"):
            self._build_slots()
            with ui.element("div").classes("line"):
                self.timbre = ui.select({}, label="timbre", with_input=True, on_change=self._choose_timbre)
                leave_when_chosen(self.timbre).props("dense outlined options-dense").classes("grow")
                self.timbre_star = star(self.send, "timbre", lambda: self.timbre.value)
                button(icon="shuffle", act=lambda: self.send("neighbour"), hint="a random nearby timbre")
            self.mix = ui.label().classes("mix")
            with ui.element("div").classes("line"):
                self.preset = ui.select({}, label="preset", with_input=True, on_change=self._choose_preset)
                leave_when_chosen(self.preset).props("dense outlined options-dense").classes("grow")
                self.preset_star = star(self.send, "preset", lambda: self.preset.value)
                self.browse.build()
                button(icon="save", act=self._ask_name, hint="save as a preset")
            with fold("seed", "Seed and quality", "tall"):
                self._build_seed()
                self.steps = ui.toggle(_STEPS, value=1, on_change=self._choose_steps).props(
                    "dense no-caps unelevated toggle-text-color=black"
                )
                self.steps.classes("steps").tooltip("quality of new notes: one or two network evaluations per block")

    def _build_slots(self) -> None:
        self.slots: dict[str, ui.button] = {}
        with ui.element("div").classes("slots"):
            for name in ("A", "B"):
                go = button(name, partial(self.send, "recall", slot=name), hint=f"recall slot {name}")
                self.slots[name] = go.classes("slot")
                store = button(
                    "store",
                    partial(self.send, "store", slot=name),
                    hint=f"store the current sound in slot {name}",
                )
                store.classes("store")

    def _build_seed(self) -> None:
        with ui.element("div").classes("line"):
            self.seed = (
                ui.input("seed", placeholder="random").props("dense outlined clearable stack-label").classes("grow")
            )
            self.seed.on("keydown.enter", self._set_seed).on("blur", self._set_seed).on("clear", self._set_seed)
            button(icon="casino", act=lambda: self.send("roll"), hint="pick a random seed")
            self.lock = button(icon="lock_open", act=self._toggle_lock, hint="lock the seed")

    # -- commands -------------------------------------------------------------------------------------------

    def _choose_timbre(self) -> None:
        if self.timbre.value:
            self.send("timbre", name=self.timbre.value)

    def _choose_preset(self) -> None:
        if self.preset.value:
            self.send("preset", name=self.preset.value)

    def _choose_steps(self) -> None:
        self.send("set", name="steps", value=float(self.steps.value))

    def _set_seed(self) -> None:
        text = (self.seed.value or "").strip()
        if text == (self.hub.state.get("seed") or ""):
            return
        if not text:
            self.send("seed", seed=None)
        elif text.isdecimal() and len(text) < 20:
            self.send("seed", seed=int(text))
        else:
            ui.notify(
                f"a seed is a whole number from 0 to {2**63 - 1}, not {text[:30]!r}", type="warning", position="top"
            )

    def _toggle_lock(self) -> None:
        self.send("lock", locked=not self.hub.state.get("seed_locked"))

    def _ask_name(self) -> None:
        with question("Save the sound as a preset") as dialog:
            name = ui.input("name").props("dense outlined autofocus").classes("wide")
            text = ui.input("description").props("dense outlined").classes("wide")
            tags = ui.input("tags", placeholder="pad, warm").props("dense outlined").classes("wide")

            def save() -> None:
                if name.value:
                    words = [word.strip() for word in (tags.value or "").split(",") if word.strip()]
                    self.send("save_preset", name=name.value, description=text.value or "", tags=words)
                    dialog.close()

            name.on("keydown.enter", save)
            button("save", save).classes("primary")

    # -- state -----------------------------------------------------------------------------------------------

    def follow(self, changes: Mapping[str, Any]) -> None:
        with self.quietly():
            if changes.keys() & {"timbres", "timbre", "favourites"}:
                self._show_timbre(refill=bool(changes.keys() & {"timbres", "favourites"}))
            if changes.keys() & {"presets", "preset", "favourites"}:
                self._show_preset()
            if "seed" in changes:
                self.seed.set_value(changes["seed"] or "")
            if "seed_locked" in changes:
                self.lock.props(f"icon={'lock' if changes['seed_locked'] else 'lock_open'}")
                self.lock.props["aria-label"] = "unlock the seed" if changes["seed_locked"] else "lock the seed"
                lit(self.lock, changes["seed_locked"])
            if "steps" in changes.get("controls", {}):
                self.steps.set_value(int(changes["controls"]["steps"][0]))
            if "slots" in changes:
                self._show_slots(changes["slots"])

    def _show_timbre(self, refill: bool) -> None:
        mix, favourites = self.hub.state.get("timbre"), self.hub.state["favourites"]["timbre"]
        if refill:
            names = [timbre["name"] for timbre in self.hub.introduction["map"]]
            self.timbre.set_options(favourites_first(names, favourites))
        alone = next((name for name, weight in (mix or {}).items() if weight >= _ALONE), None)
        alone = alone if alone in self.timbre.options else None
        self.timbre.set_value(alone)
        show_star(self.timbre_star, alone, alone in favourites)
        heaviest = [(name, weight) for name, weight in (mix or {}).items() if weight >= 0.005][:_MOST_SHOWN]
        shown = [f"{name} {100 * weight:.0f}%" for name, weight in heaviest]
        self.mix.set_text(" · ".join(shown) if len(mix or {}) > 1 and not alone else "")

    def _show_preset(self) -> None:
        names = [preset["name"] for preset in self.hub.state["presets"]]
        favourites, current = self.hub.state["favourites"]["preset"], self.hub.state.get("preset")
        current = current if current in names else None
        self.preset.set_options(favourites_first(names, favourites), value=current)
        show_star(self.preset_star, current, current in favourites)

    def _show_slots(self, slots: Mapping[str, Any]) -> None:
        for name, go in self.slots.items():
            go.set_enabled(name in slots["filled"])
            lit(go, slots["active"] == name)
