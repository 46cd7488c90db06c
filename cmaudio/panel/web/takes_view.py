"""The takes section: recording, saving what was just played, and the sound files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from nicegui import ui

from cmaudio.panel.variations.names import is_variation
from cmaudio.panel.web.view import View, button, custom, fold, lit, question

_RECORD, _STOP = "record take", "stop take"


class TakesView(View):
    """Buttons and the list of files."""

    def build(self) -> None:
        with ui.element("div").classes("line"):
            self.record = button(_RECORD, self._toggle, icon="fiber_manual_record").classes("record")
            self.clock = ui.label().classes("clock")
            ui.space()
            with button("keep", icon="history") as keep:
                keep.props["aria-label"] = keep.props["title"] = "keep what was just played"
                self._build_menu()
        self.files = ui.element("div").classes("files")
        self.rendered = fold("rendered", "Variations")
        with self.rendered:
            self.variations = ui.element("div").classes("files")
        if self.hub.introduction["learns"]:
            custom("cm-drop")
        self.folder = ui.label(self.hub.introduction["files_folder"]).classes("folder")

    def _build_menu(self) -> None:
        remembered = float(self.hub.introduction["remembered"])
        with ui.menu().props("auto-close"):
            for seconds in (15.0, 60.0, remembered):
                text = f"last {seconds:.0f} s" if seconds <= 60 else f"last {seconds / 60:.0f} minutes"
                ui.menu_item(text, on_click=partial(self.send, "keep", seconds=seconds))

    def _toggle(self) -> None:
        self.send("stop" if self.hub.state.get("recording") else "record")

    def follow(self, changes: Mapping[str, Any]) -> None:
        if "recording" in changes:
            take = changes["recording"]
            self.record.set_text(_STOP if take else _RECORD)
            self.record.props(f"icon={'stop' if take else 'fiber_manual_record'}")
            lit(self.record, bool(take))
            self.clock.set_text(f"{take['seconds']:.0f} s  {take['file']}" if take else "")
        if changes.keys() & {"files", "favourites"}:
            self._show_files(self.hub.state.get("files", []), self.hub.state["favourites"]["file"])

    def _show_files(self, files: Sequence[Mapping[str, Any]], favourites: Sequence[str]) -> None:
        variations = [file for file in files if is_variation(file["name"]) and file["name"] not in favourites]
        takes = [file for file in files if file not in variations]
        takes.sort(key=lambda file: file["name"] not in favourites)  # the rest keep their order
        self._fill(self.files, takes, favourites)
        self._fill(self.variations, variations, favourites)
        self.rendered.set_visibility(bool(variations))
        if not takes:
            with self.files:
                self._build_nothing_yet()

    def _fill(self, place: ui.element, files: Sequence[Mapping[str, Any]], favourites: Sequence[str]) -> None:
        place.clear()
        with place:
            for name, seconds in ((file["name"], file["seconds"]) for file in files):
                with file_row(name, name, f"{seconds:.1f} s", starred=name in favourites):
                    file_menu(self, name, name in favourites)

    def _build_nothing_yet(self) -> None:
        ui.label("No takes yet: play, then press keep.").classes("none")
        if self.hub.introduction["example"]:
            button("play an example", lambda: self.send("example"), icon="music_note").classes("example")


def file_menu(view: View, name: str, starred: bool) -> None:
    """The menu of a sound file: favourite, rename, delete."""
    more = button(icon="more_vert").classes("more")
    more.props["aria-label"] = f"more for {name}"
    with more, ui.menu().props("auto-close"):
        mark = partial(view.send, "favourite", what="file", name=name, on=not starred)
        ui.menu_item("remove from favourites" if starred else "add to favourites", on_click=mark)
        if view.hub.introduction["learns"]:
            ui.menu_item("learn as a timbre", on_click=partial(view.send, "learn_sound", file=name))
        ui.menu_item("rename", on_click=partial(_ask_name, view, more.client.content, name))
        ui.menu_item("delete", on_click=partial(view.send, "delete", file=name))


def _ask_name(view: View, page: ui.element, name: str) -> None:
    with page, question(f"Rename {name}") as dialog:
        wanted = ui.input("name", value=name.rpartition(".")[0]).props("dense outlined autofocus").classes("wide")

        def rename() -> None:
            if wanted.value:
                view.send("rename", file=name, name=wanted.value)
                dialog.close()

        wanted.on("keydown.enter", rename)
        button("rename", rename).classes("primary")


def file_row(name: str, label: str, note: str, starred: bool = False) -> ui.element:
    """A sound file with its outline, buttons to play and download it, and to be dragged to another program."""
    with ui.element("div").classes("file").props("draggable=true") as row:
        custom("cm-play", file=name)
        if starred:
            ui.icon("star").classes("starred").props('role=img aria-label="favourite"')
        with ui.element("div").classes("name") as place:
            place.props["title"] = name
            custom("cm-outline", file=name)
            ui.label(label)
        ui.label(note).classes("note")
        link = ui.element("a").classes("get")
        link.props["href"], link.props["download"] = f"/files/{quote(name)}", name
        with link:
            ui.icon("file_download").props["title"] = "download"
    return row
