"""What the parts of the page have in common: their way to the engine, and following it without echoing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nicegui import ui

from cmaudio.panel.web.hub import Hub


class View:
    """A part of one page. `follow` is given what has changed, and all of it at first."""

    def __init__(self, hub: Hub, client: str) -> None:
        self.hub, self.client = hub, client
        self._quiet = False

    def send(self, kind: str, **fields: Any) -> None:
        """A command, unless it is the engine whom the page follows just now."""
        if not self._quiet:
            self.hub.send(self.client, kind, **fields)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """What is shown changes, and nothing is asked for."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def build(self) -> None:
        """Make its elements, where the page is being built."""
        raise NotImplementedError

    def follow(self, changes: Mapping[str, Any]) -> None:
        """Show what has changed."""


def section(name: str, title: str = "") -> ui.element:
    """A framed part of the page; `name` is its place in the grid (see panel.css)."""
    found = ui.element("section").classes(name)
    if title:
        with found, ui.element("h2"):
            ui.html(title, sanitize=False)
    return found


def button(
    text: str = "", act: Callable[[], Any] | None = None, *, icon: str | None = None, hint: str = ""
) -> ui.button:
    """A button without a colour of its own; panel.css gives it one."""
    found = ui.button(text, on_click=act, icon=icon, color=None).props("flat dense no-caps")
    return found.tooltip(hint) if hint else found


def lit(element: ui.element, on: bool) -> None:
    """Whether it is shown as being on."""
    element.classes(add="on") if on else element.classes(remove="on")


def custom(tag: str, **attributes: Any) -> ui.element:
    """An element of the page's own (see static/main.js)."""
    found = ui.element(tag)
    for name, value in attributes.items():
        found.props[name.rstrip("_")] = value
    return found
