"""The layout of the page. Latency-critical elements are custom (static/); the rest is NiceGUI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import Client, ui

from cmaudio.panel.web.controls_view import ControlsView
from cmaudio.panel.web.hints_view import HintsView
from cmaudio.panel.web.hub import Hub
from cmaudio.panel.web.pads_view import PadsView
from cmaudio.panel.web.sequencer_view import SequencerView
from cmaudio.panel.web.sound_view import SoundView
from cmaudio.panel.web.takes_view import TakesView
from cmaudio.panel.web.top_view import TopView
from cmaudio.panel.web.variations_view import VariationsView
from cmaudio.panel.web.view import View, button, custom, has_pads_only, lit, section

_UNOPENED_SECONDS = 20.0
_HEAD = """
<meta name="cm-client" content="{client}">
<link rel="stylesheet" href="/panel/panel.css">
<link rel="stylesheet" href="/panel/screens.css">
<link rel="stylesheet" href="/panel/drop.css">
<link rel="stylesheet" href="/panel/pads.css">
<link rel="stylesheet" href="/panel/sequencer.css">
<link rel="stylesheet" href="/panel/modulators.css">
<link rel="stylesheet" href="/panel/curve.css">
<link rel="stylesheet" href="/panel/readout.css">
<link rel="stylesheet" href="/panel/midi.css">
<link rel="stylesheet" href="/panel/browse.css">
<script type="module" src="/panel/main.js"></script>
"""


_SWITCH = """() => {{
  const on = getHtmlElement({place}).classList.toggle("drumming");
  getHtmlElement({button}).classList.toggle("on", on);
  getHtmlElement({button}).setAttribute("aria-pressed", on);
}}"""


def discard_unopened_pages() -> None:
    """Free pages that were requested but never opened. NiceGUI waits a minute, in which a flood fills memory."""
    Client.prune_instances(client_age_threshold=_UNOPENED_SECONDS)


class Page:
    """One open page. It follows the hub until its client is gone."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.hello = hub, hub.introduction
        self.client = ui.context.client
        identity = self.client.id
        self.views: list[View] = [
            TopView(hub, identity),
            ControlsView(hub, identity),
            SoundView(hub, identity),
            TakesView(hub, identity),
            VariationsView(hub, identity),
            HintsView(hub, identity),
        ]
        self.foot = _foot(hub, identity)

    def build(self) -> None:
        """Create all elements and start following the hub."""
        ui.colors(primary="#ffb454", dark="#12171f", dark_page="#0b0e13", warning="#8a4b1f", info="#1f4d5a")
        ui.add_head_html(_HEAD.format(client=self.client.id))
        top, controls, sound, files, vary, hints = self.views
        single, speech = len(self.hello["map"]) < 2, self.hello["speech"]
        kinds = {"single": single, "voice": speech, "padded": has_pads_only(self.hello)}
        with ui.element("div").classes(" ".join(["panel", *(kind for kind, found in kinds.items() if found)])):
            top.build()
            if not single:
                with section("map", "Timbre <small>drag to morph</small>"):
                    custom("cm-map")
            with ui.element("div").classes("middle"):
                with section("view"):
                    custom("cm-spectrum")
                    custom("cm-level")
                    custom("cm-readout")
                controls.build()
            with ui.element("div").classes("side"):
                sound.build()
                self._work(files, vary)
            self.foot.build()
            if not speech:
                SequencerView(self.hub, self.client.id).build()
            hints.build()
            custom("cm-fold")
            self.said = ui.label().classes("said").props("role=status")
        self.views.append(self.foot)
        for view in self.views:
            view.follow(self.hub.state)
        self.hub.on_change.add(self._follow)
        self.hub.on_message.add(self._notify)
        self.client.on_delete(self._leave)

    def _work(self, files: View, vary: View) -> None:
        with section("work"):
            with ui.tabs().props("dense no-caps") as tabs:
                recordings, variations = ui.tab("Takes"), ui.tab("Variations")
            with ui.tab_panels(tabs, value=recordings, animated=False).props("keep-alive"):
                with ui.tab_panel(recordings):
                    files.build()
                with ui.tab_panel(variations):
                    vary.build()

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


def _foot(hub: Hub, client: str) -> View:
    """The playing surface at the foot of the page."""
    if hub.introduction["speech"]:
        return SayView(hub, client)
    return PadsView(hub, client) if has_pads_only(hub.introduction) else KeysView(hub, client)


class KeysView(View):
    """Wheels, keyboard, octave buttons and pedal, for models that play notes; pads in their place for their drums."""

    def build(self) -> None:
        with section("keys") as place:
            with ui.element("div").classes("wheels"):
                custom("cm-wheel", control="bend", label="bend", min=-2, max=2, springs="")
                custom("cm-wheel", control="vibrato", label="vibrato", min=0, max=1)
            keys = custom("cm-keys")
            if self.hub.introduction["pads"]:
                custom("cm-pads")
            with ui.element("div").classes("octaves"):
                for label, octaves in (("octave +", 1), ("octave −", -1)):
                    event = f"new CustomEvent('octave', {{detail: {octaves}}})"
                    button(label).on("click", js_handler=f"() => getHtmlElement({keys.id}).dispatchEvent({event})")
                self.pedal = button("sustain", self._toggle_pedal)
                if self.hub.introduction["pads"]:
                    drums = button("drums").classes("drums")
                    drums.on("click", js_handler=_SWITCH.format(place=place.id, button=drums.id))

    def _toggle_pedal(self) -> None:
        self.send("sustain", down=not self.hub.state.get("sustain"))

    def follow(self, changes: Mapping[str, Any]) -> None:
        if "sustain" in changes:
            lit(self.pedal, changes["sustain"])


class SayView(View):
    """The text to say, for models that speak."""

    def build(self) -> None:
        with section("say", "Say"):
            self.text = ui.textarea(placeholder="Text to say (Ctrl+Enter)").props("dense outlined autogrow")
            self.text.classes("text").on("keydown.ctrl.enter", self._say)
            button("say", self._say, icon="record_voice_over").classes("primary")
            button("stop", lambda: self.send("hush"), icon="stop")

    def _say(self) -> None:
        if self.text.value and self.text.value.strip():
            self.send("say", text=self.text.value)
