"""Three hints for the first run, not shown again once read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from cmaudio.panel.web.view import View, button

_NOTES = (
    "Play with the letters shown on the piano keys, or touch the keys themselves.",
    "Drag on the map to morph from one instrument into another while notes sound.",
    "Ctrl+Z undoes any change. “keep” saves what you just played, even if you were not recording.",
)
_SPEECH = (
    "Type a text below and press say.",
    "Move the controls while it speaks.",
    "Ctrl+Z undoes any change. “keep” saves what was just said, even if you were not recording.",
)


class HintsView(View):
    """A card above the page, until the last hint is read or all are skipped."""

    def build(self) -> None:
        speech = self.hub.introduction["speech"]
        single = len(self.hub.introduction["map"]) < 2
        self.hints = [hint for hint in (_SPEECH if speech else _NOTES) if not (single and "map" in hint)]
        self.at = 0
        with ui.element("aside").classes("hints").props('aria-label="first hints"') as self.card:
            self.text = ui.label().props("role=status")
            with ui.element("div").classes("line"):
                self.count = ui.label().classes("note")
                ui.space()
                if self.hub.introduction["example"]:
                    button("example", lambda: self.send("example"), hint="play a piece").classes("example")
                self.skip = button("skip", self._end, hint="no more hints")
                self.go = button("next", self._next).classes("primary")
        self._show()

    def _next(self) -> None:
        self.at += 1
        if self.at >= len(self.hints):
            self._end()
        else:
            self._show()

    def _show(self) -> None:
        last = self.at == len(self.hints) - 1
        self.text.set_text(self.hints[self.at])
        self.count.set_text(f"{self.at + 1} of {len(self.hints)}")
        self.go.set_text("got it" if last else "next")
        self.skip.set_visibility(not last)

    def _end(self) -> None:
        self.card.set_visibility(False)
        self.send("read")

    def follow(self, changes: Mapping[str, Any]) -> None:
        if "hints_read" in changes:
            self.card.set_visibility(not changes["hints_read"])
