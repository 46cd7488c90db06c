"""What is played at the foot of the page: a keyboard, pads, or a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from cmaudio.panel.web.hub import Hub
from cmaudio.panel.web.view import View, button, custom, has_pads_only, lit, section

_SWITCH = """() => {{
  const on = getHtmlElement({place}).classList.toggle("drumming");
  getHtmlElement({button}).classList.toggle("on", on);
  getHtmlElement({button}).setAttribute("aria-pressed", on);
}}"""


def playing_view(hub: Hub, client: str) -> View:
    """The playing surface of an instrument."""
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


class PadsView(View):
    """Sixteen pads at a time, found by name or paged through (see static/pads.js); each is a timbre."""

    def build(self) -> None:
        with section("keys pads"):
            custom("cm-pads")


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
