"""The header: model, undo and redo, load, output."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nicegui import ui

from cmaudio.panel.reach import qr_svg
from cmaudio.panel.web.view import View, button, custom, leave_when_chosen, lit, question

_SHORTCUTS = {"undo": "Ctrl+Z", "redo": "Ctrl+Shift+Z"}


class TopView(View):
    """The header: model, load, output."""

    def build(self) -> None:
        hello = self.hub.introduction
        with ui.element("header"):
            ui.html('<img src="/panel/favicon.svg" alt=""><h1>cmaudio</h1>', sanitize=False).classes("brand")
            button(hello["model"], self._show_models, hint="what it is, and other models").classes("model")
            with ui.element("div").classes("history"):
                self.history = {
                    kind: button(icon=kind, act=partial(self.send, kind)).classes(kind) for kind in ("undo", "redo")
                }
                self.steps = {kind: self._named(each) for kind, each in self.history.items()}
            ui.space()
            custom("cm-load")
            custom("cm-midi")
            self.link = button("Link", self._join_or_leave).classes("link")
            self.link.set_visibility(not hello["speech"])
            with self.link:
                self.peers = ui.tooltip("")
            button(icon="qr_code", act=self._show_reach, hint="open on a phone or tablet").classes("reach")
            self.device = ui.select([], label="output", on_change=self._choose).props("dense outlined options-dense")
            leave_when_chosen(self.device)
            self.device.classes("device").on("popup-show", lambda: self.send("devices"))
            custom("cm-listen")
            button("panic", lambda: self.send("panic"), hint="silence everything at once").classes("panic")

    def _named(self, step: ui.button) -> ui.tooltip:
        with step:
            return ui.tooltip("")

    def follow(self, changes: Mapping[str, Any]) -> None:
        if "history" in changes:
            self._show_history(changes["history"])
        if "link" in changes:
            self._show_link(changes["link"])
        if "devices" in changes or "device" in changes:
            state = self.hub.state
            names = [self.hub.introduction["page_device"], *state.get("devices", [])]
            current = state.get("device") or None
            with self.quietly():
                self.device.set_options(list(dict.fromkeys([*names, *([current] if current else [])])), value=current)

    def _show_history(self, labels: Mapping[str, str | None]) -> None:
        for kind, step in self.history.items():
            text = f"{kind} {labels[kind] or ''}".strip()
            step.set_enabled(labels[kind] is not None)
            step.props["aria-label"] = text
            step.update()
            self.steps[kind].set_text(f"{text} ({_SHORTCUTS[kind]})")

    def _show_link(self, link: Mapping[str, Any] | None) -> None:
        lit(self.link, link is not None)
        self.link.set_text("Link" if link is None else f"Link {link['tempo']:.1f} · {_peers(link['peers'])}")
        self.peers.set_text(
            "share tempo, beat, start and stop over Ableton Link"
            if link is None
            else "tempo and peers of the Link session; click to leave"
        )

    def _show_models(self) -> None:
        hello = self.hub.introduction
        with self.device.client.content, question(hello["description"]):
            ui.label("Other sounds come from other models. Each has a panel of its own:").classes("note")
            for command in hello["other_models"]:
                ui.label(command).classes("address")

    def _show_reach(self) -> None:
        address = self.hub.introduction["reach"]
        with self.device.client.content, question("Open this on a phone or tablet on the same network"):
            if not address:
                ui.label("For now only this computer can open it. Restart the panel with").classes("note")
                ui.label(self.hub.introduction["restart"]).classes("address")
                ui.label("and scan the code that is shown here.").classes("note")
                return
            if (code := qr_svg(address)) is not None:
                ui.html(code, sanitize=False).classes("code").props('role=img aria-label="QR code of the address"')
            ui.link(address, address).classes("address")

    def _join_or_leave(self) -> None:
        self.send("unlink" if self.hub.state.get("link") else "link")

    def _choose(self) -> None:
        name = self.device.value
        self.send("device", name=None if name == self.hub.introduction["page_device"] else name)


def _peers(count: int) -> str:
    return "1 peer" if count == 1 else f"{count or 'no'} peers"
