"""The dialog in which presets and timbres are searched, auditioned and selected."""

from __future__ import annotations

from nicegui import ui

from cmaudio.panel.web.view import View, button, custom


class BrowseView(View):
    """A button, and the dialog that it opens."""

    def build(self) -> None:
        button(icon="search", act=self._open, hint="search and preview presets and timbres")

    def _open(self) -> None:
        with ui.context.client.content, ui.dialog(value=True) as dialog, ui.card().classes("ask browse"):
            dialog.props["aria-label"] = "Presets and timbres"
            custom("cm-browse").on("chosen", dialog.close)
            dialog.on("hide", dialog.delete)
