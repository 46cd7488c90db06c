"""Pads in place of the keyboard, for unpitched models: one timbre per pad."""

from __future__ import annotations

from cmaudio.panel.web.view import View, custom, section


class PadsView(View):
    """Sixteen pads at a time, found by name or paged through (see static/pads.js)."""

    def build(self) -> None:
        with section("keys pads"):
            custom("cm-pads")
