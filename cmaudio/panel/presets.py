"""The presets that a page can choose from: those of the instrument's model, by name."""

from __future__ import annotations

from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset_files import find_preset, load_preset, preset_files, save_preset
from cmaudio.panel.instrument import PanelInstrument


class Presets:
    """`listed` holds the name and description of each."""

    def __init__(self, synth: PanelInstrument) -> None:
        self._synth = synth
        self.listed = self._read()

    def apply(self, name: str) -> None:
        """Apply a preset. Raises CmaudioError for an unknown name; a path is never one."""
        self._synth.apply(load_preset(find_preset(name)))

    def save(self, name: str, description: str) -> Path:
        """Save the current sound. Raises CmaudioError for an invalid name or a file that cannot be written."""
        path = save_preset(self._synth.as_preset(name, description))
        self.listed = self._read()
        return path

    def _read(self) -> list[dict[str, str]]:
        found = []
        for file in preset_files().values():
            try:
                preset = load_preset(file)
            except CmaudioError:
                continue  # `cmaudio presets` says what is wrong with it
            if preset.model == self._synth.model.manifest.name:
                found.append({"name": preset.name, "description": preset.description})
        return found
