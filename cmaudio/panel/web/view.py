"""The base class of all parts of the page: sends commands, and follows the state without echoing it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nicegui import ui

from cmaudio.panel.web.hub import Hub


class View:
    """A part of one page. `follow` is called with the full state first, then with each change."""

    def __init__(self, hub: Hub, client: str) -> None:
        self.hub, self.client = hub, client
        self._quiet = False

    def send(self, kind: str, **fields: Any) -> None:
        """Send a command, unless the page itself is just following the instrument."""
        if not self._quiet:
            self.hub.send(self.client, kind, **fields)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Update what is shown without sending commands."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def build(self) -> None:
        """Create the elements."""
        raise NotImplementedError

    def follow(self, changes: Mapping[str, Any]) -> None:
        """Show what has changed."""


def has_pads_only(introduction: Mapping[str, Any]) -> bool:
    """Whether pads take the place of the keyboard."""
    return bool(introduction["pads"]) and not introduction["pitched"]


def section(name: str, title: str = "") -> ui.element:
    """A framed part of the page; `name` is its area in the grid (see panel.css)."""
    found = ui.element("section").classes(name)
    if title:
        with found, ui.element("h2"):
            ui.html(title, sanitize=False)
    return found


def fold(name: str, title: str, opened: str | None = None) -> ui.element:
    """A part that unfolds, and is remembered as it was left (see static/fold.js).

    Args:
        name: of it, among all of the page.
        title: as it is shown.
        opened: the screens on which it is open at first: "" all, "tall"; None for none.
    """
    found = ui.element("details").classes("group").props(f"data-fold={name}")
    if opened is not None:
        found.props(f'data-opened="{opened}"')
    with found, ui.element("summary"):
        ui.label(title)
    return found


def button(
    text: str = "", act: Callable[[], Any] | None = None, *, icon: str | None = None, hint: str = ""
) -> ui.button:
    """A button whose colour comes from panel.css."""
    found = ui.button(text, on_click=act, icon=icon, color=None).props("flat dense no-caps")
    if hint:
        found.props["aria-label"] = f"{text}: {hint}" if text else hint
        found.tooltip(hint)
    return found


@contextmanager
def question(title: str) -> Iterator[ui.dialog]:
    """A dialog with this title, already open; the with-body creates its content."""
    with ui.dialog(value=True) as dialog, ui.card().classes("ask"):
        dialog.props["aria-label"] = title
        ui.label(title)
        yield dialog


def star(send: Callable[..., object], what: str, name: Callable[[], str | None]) -> ui.button:
    """A button that marks or unmarks a favourite; see `show_star`."""
    found = button(icon="star_border").classes("star")

    def mark() -> None:
        if (marked := name()) is not None:
            send("favourite", what=what, name=marked, on=found.props["aria-pressed"] != "true")

    return found.on("click", mark)


def show_star(star: ui.button, name: str | None, on: bool) -> None:
    """Show whether this name is a favourite; without a name nothing can be marked."""
    star.props["icon"], star.props["aria-pressed"] = "star" if on else "star_border", "true" if on else "false"
    star.props["aria-label"] = f"favourite {name or ''}".strip()
    star.set_enabled(name is not None)
    lit(star, on)
    star.update()


def leave_when_chosen(field: ui.select) -> ui.select:
    """Take the focus off a select once its list closes, so that the computer's keys play again."""
    leave = "() => setTimeout(() => document.activeElement?.closest('.q-select') && document.activeElement.blur(), 50)"
    field.on("popup-hide", js_handler=leave)
    return field


def lit(element: ui.element, on: bool) -> None:
    """Show an element as on or off."""
    element.classes(add="on") if on else element.classes(remove="on")


def custom(tag: str, **attributes: Any) -> ui.element:
    """A custom element (see static/main.js)."""
    found = ui.element(tag)
    for name, value in attributes.items():
        found.props[name.rstrip("_")] = value
    return found
