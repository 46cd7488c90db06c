"""Pads in place of the keyboard, for models without pitches: every class of sound on a pad of its own."""

from __future__ import annotations

from cmaudio.panel.web.view import View, custom, section


class PadsView(View):
    """Sixteen pads of all, found by name or leafed through (see static/pads.js)."""

    def build(self) -> None:
        with section("keys pads"):
            custom("cm-pads")
