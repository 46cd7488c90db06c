"""Three hints for the first run, not shown again once read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nicegui import ui

from cmaudio.panel.web.view import View, button, has_pads_only


class Hint(NamedTuple):
    """A hint for mouse and keyboard, and for fingers where that differs."""

    text: str
    touch: str = ""


_KEYS = Hint("Play with the letters on the piano keys, or click them.", "Touch the piano keys: lower is louder.")
_PADS = Hint("Strike pads with the letters on them, or click them.", "Touch the pads: lower is louder.")
_MAP = Hint("Drag on the map to morph from one sound into another while notes sound.")
_UNDO = Hint(
    "Ctrl+Z undoes any change. “keep” saves what you just played, even if you were not recording.",
    "The arrows at the top undo any change. “keep” saves what you just played, even if you were not recording.",
)
_SPEECH = (
    Hint("Type a text below and press say."),
    Hint("Move the controls while it speaks."),
    Hint(*(text.replace("you just played", "was just said") for text in _UNDO)),
)


def hints_for(introduction: Mapping[str, Any]) -> list[Hint]:
    """The hints for an instrument."""
    if introduction["speech"]:
        return [*_SPEECH]
    first = _PADS if has_pads_only(introduction) else _KEYS
    return [first, _UNDO] if len(introduction["map"]) < 2 else [first, _MAP, _UNDO]


class HintsView(View):
    """A card above the page, until the last hint is read or all are skipped."""

    def build(self) -> None:
        self.hints = hints_for(self.hub.introduction)
        self.at = 0
        with ui.element("aside").classes("hints").props('aria-label="first hints"') as self.card:
            with ui.element("div").props("role=status"):
                self.text = ui.label().classes("for-mouse")
                self.touch = ui.label().classes("for-fingers")
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
        hint, last = self.hints[self.at], self.at == len(self.hints) - 1
        self.text.set_text(hint.text)
        self.touch.set_text(hint.touch or hint.text)
        self.count.set_text(f"{self.at + 1} of {len(self.hints)}")
        self.go.set_text("got it" if last else "next")
        self.skip.set_visibility(not last)

    def _end(self) -> None:
        self.card.set_visibility(False)
        self.send("read")

    def follow(self, changes: Mapping[str, Any]) -> None:
        if "hints_read" in changes:
            self.card.set_visibility(not changes["hints_read"])
