"""The variations section: what varies, what is played, and the files as they are rendered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from nicegui import ui

from cmaudio.panel.commands import MAX_VARIATIONS
from cmaudio.panel.web.takes_view import file_menu, file_row
from cmaudio.panel.web.view import View, button

_WHAT = {"seeds": "seeds", "places": "nearby places"}
_PHRASE = {"note": "held note", "motif": "motif", "played": "last played"}
_FIELD = "dense outlined"
_NAMED = 0.05  # weight of a timbre from which on it is named


class VariationsView(View):
    """Settings, progress and the list of files."""

    def build(self) -> None:
        speech = self.hub.introduction["speech"]
        self.what = (
            ui.toggle(_WHAT, value="seeds").props("dense no-caps unelevated toggle-text-color=black").classes("what")
        )
        with ui.element("div").classes("fields"):
            self.count = ui.number("how many", value=8, min=1, max=MAX_VARIATIONS, precision=0).props(_FIELD)
            self.radius = ui.number("radius", value=0.3, min=0.05, max=1, step=0.05).props(_FIELD)
            self.radius.bind_enabled_from(self.what, "value", lambda what: what == "places")
            if speech:
                self.text = ui.input("text").props(_FIELD).classes("whole")
            else:
                self._build_phrase()
            self.loudness = ui.number("loudness (LUFS)", min=-60, max=-6, step=1, placeholder="as is")
            self.loudness.props(f"{_FIELD} clearable stack-label").tooltip(
                "target loudness; peaks stay at or below -1 dB"
            )
        with ui.element("div").classes("line"):
            self.go = button("render", self._start, icon="auto_awesome").classes("primary render")
            self.of = ui.label().classes("of grow")
            self.cancel = button("cancel", lambda: self.send("cancel"))
            self.bar = ui.linear_progress(0, show_value=False).props("instant-feedback").classes("grow")
        self.error = ui.label().classes("error")
        self.files = ui.element("div").classes("files")

    def _build_phrase(self) -> None:
        self.phrase = ui.select(_PHRASE, value="note", label="phrase").props(f"{_FIELD} options-dense")
        self.seconds = ui.number("seconds", value=2.0, min=0.2, max=30, step=0.1).props(_FIELD)
        self.pitch = ui.number("pitch", value=60, min=0, max=127, precision=0).props(_FIELD)
        self.pitch.set_visibility(self.hub.introduction["pitched"])
        self.seconds.bind_enabled_from(self.phrase, "value", lambda phrase: phrase != "played")
        self.pitch.bind_enabled_from(self.phrase, "value", lambda phrase: phrase != "played")

    def _start(self) -> None:
        fields: dict[str, Any] = {"what": self.what.value, "count": int(self.count.value or 0)}
        fields["timbre"] = self.hub.state["struck"]
        fields["radius"] = float(self.radius.value or 0)
        if self.hub.introduction["speech"]:
            fields["text"] = self.text.value or ""
        else:
            fields["phrase"] = self.phrase.value
            fields |= {"pitch": int(self.pitch.value or 0), "seconds": float(self.seconds.value or 0)}
        if self.loudness.value is not None:
            fields["loudness"] = float(self.loudness.value)
        self.send("vary", **fields)

    def follow(self, changes: Mapping[str, Any]) -> None:
        if changes.keys() & {"timbre", "struck"}:
            self._show_varied()
        if not changes.keys() & {"variations", "favourites"}:
            return
        status, favourites = self.hub.state["variations"], self.hub.state["favourites"]["file"]
        running = bool(status["running"])
        self.bar.set_value((status["done"] + status["part"]) / max(1, status["total"]))
        self.bar.set_visibility(running)
        self.cancel.set_visibility(running)
        self.of.set_visibility(not running)
        self.go.set_enabled(not running)
        self.error.set_text(status["error"])
        shown = [(row["name"], row["name"] in favourites) for row in status["files"]]
        if shown != getattr(self, "_shown", None):
            self._shown = shown
            self._show(status["files"], favourites)

    def _show_varied(self) -> None:
        """Name what is varied: the pad that was struck last, or the timbre chosen since."""
        mix, struck = self.hub.state["timbre"] or {}, self.hub.state["struck"]
        heaviest = [name for name in sorted(mix, key=mix.__getitem__, reverse=True)[:2] if mix[name] >= _NAMED]
        varied = [struck] if struck else heaviest
        self.of.set_text(f"of {' + '.join(varied)}" if varied else "")

    def _show(self, rows: list[dict[str, Any]], favourites: list[str]) -> None:
        self.files.clear()
        with self.files:
            for number, row in enumerate(rows, 1):
                starred = row["name"] in favourites
                with file_row(row["name"], f"{number}  {row['label']}", "", starred):
                    use = button("use", partial(self._use, row)).classes("use")
                    use.props["title"] = f"use this timbre and seed ({row['seed']})"
                    file_menu(self, row["name"], starred)

    def _use(self, row: Mapping[str, Any]) -> None:
        gesture = uuid4().hex  # undone together
        self.send("seed", seed=row["seed"], gesture=gesture)
        self.send("place", x=row["x"], y=row["y"], gesture=gesture)
