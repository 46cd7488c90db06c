"""The step sequencer and the arpeggiator, below the playing surface; a custom element draws and edits them."""

from __future__ import annotations

from cmaudio.panel.web.view import View, custom, section


class SequencerView(View):
    """A bar that unfolds."""

    def build(self) -> None:
        with section("sequence"):
            custom("cm-sequencer")
