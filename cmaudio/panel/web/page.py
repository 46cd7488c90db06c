"""The layout of the page. Latency-critical elements are custom (static/); the rest is NiceGUI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import Client, ui

from cmaudio.panel.web.controls_view import ControlsView
from cmaudio.panel.web.hints_view import HintsView
from cmaudio.panel.web.hub import Hub
from cmaudio.panel.web.playing_view import playing_view
from cmaudio.panel.web.sequencer_view import SequencerView
from cmaudio.panel.web.sound_view import SoundView
from cmaudio.panel.web.takes_view import TakesView
from cmaudio.panel.web.top_view import TopView
from cmaudio.panel.web.variations_view import VariationsView
from cmaudio.panel.web.view import View, custom, has_pads_only, section

_UNOPENED_SECONDS = 20.0
# In the order of the cascade: the sizes of screens override what panel.css sets.
_STYLES = ("panel", "screens", "drop", "pads", "sequencer", "modulators", "curve", "readout", "midi", "browse")
_HEAD = "\n".join(
    (
        '<meta name="cm-client" content="{client}">',
        *(f'<link rel="stylesheet" href="/panel/{name}.css">' for name in _STYLES),
        '<script type="module" src="/panel/main.js"></script>',
    )
)


def discard_unopened_pages() -> None:
    """Free pages that were requested but never opened. NiceGUI waits a minute, in which a flood fills memory."""
    Client.prune_instances(client_age_threshold=_UNOPENED_SECONDS)


class Page:
    """One open page. It follows the hub until its client is gone."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.client = hub, ui.context.client
        self.views: list[View] = []

    def build(self) -> None:
        """Create all elements and start following the hub."""
        ui.colors(primary="#ffb454", dark="#12171f", dark_page="#0b0e13", warning="#8a4b1f", info="#1f4d5a")
        ui.add_head_html(_HEAD.format(client=self.client.id))
        with ui.element("div").classes(" ".join(["panel", *self._kinds()])):
            self._add(TopView)
            self._build_map()
            with ui.element("div").classes("middle"):
                with section("view"):
                    custom("cm-spectrum")
                    custom("cm-level")
                    custom("cm-readout")
                self._add(ControlsView)
            with ui.element("div").classes("side"):
                self._add(SoundView)
                self._build_work()
            self._add(playing_view)
            if not self.hub.introduction["speech"]:
                self._add(SequencerView)
            self._add(HintsView)
            custom("cm-fold")
            self.said = ui.label().classes("said").props("role=status")
        self._follow(self.hub.state)
        self.hub.on_change.add(self._follow)
        self.hub.on_message.add(self._notify)
        self.client.on_delete(self._leave)

    def _kinds(self) -> list[str]:
        """Classes of the page: its layout depends on the kind of instrument."""
        hello = self.hub.introduction
        kinds = {"single": self._is_single, "voice": hello["speech"], "padded": has_pads_only(hello)}
        return [kind for kind, found in kinds.items() if found]

    @property
    def _is_single(self) -> bool:
        return len(self.hub.introduction["map"]) < 2

    def _add(self, kind: Callable[[Hub, str], View]) -> None:
        view = kind(self.hub, self.client.id)
        view.build()
        self.views.append(view)

    def _build_map(self) -> None:
        if not self._is_single:
            with section("map", "Timbre <small>drag to morph</small>"):
                custom("cm-map")

    def _build_work(self) -> None:
        with section("work"):
            with ui.tabs().props("dense no-caps") as tabs:
                takes, variations = ui.tab("Takes"), ui.tab("Variations")
            with ui.tab_panels(tabs, value=takes, animated=False).props("keep-alive"):
                with ui.tab_panel(takes):
                    self._add(TakesView)
                with ui.tab_panel(variations):
                    self._add(VariationsView)

    def _follow(self, changes: Mapping[str, Any]) -> None:
        if changes:
            for view in self.views:
                view.follow(changes)

    def _notify(self, message: Mapping[str, Any]) -> None:
        if message.get("client") not in (None, "", self.client.id):
            return
        if message["kind"] == "done":
            self.said.set_text(message["text"])
        else:
            kind: Any = "warning" if message["kind"] == "refused" else "info"
            with self.client.content:
                ui.notify(message["text"], type=kind, position="top", multi_line=True)

    def _leave(self) -> None:
        self.hub.on_change.discard(self._follow)
        self.hub.on_message.discard(self._notify)
