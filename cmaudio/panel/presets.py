"""The presets available to a page: those of the instrument's model, by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset import Preset
from cmaudio.instrument.preset_files import find_preset, load_preset, preset_files, save_preset
from cmaudio.synth import Synth


class Presets:
    """`listed` holds name, description and tags of each."""

    def __init__(self, synth: Synth) -> None:
        self._synth, self._applied = synth, synth.preset
        self._shown = None if synth.preset is None else synth.preset.name
        self.listed = self._read()

    @property
    def current(self) -> str | None:
        """The name of the preset that pages show: the last one applied by anyone, saved, or restored."""
        if self._synth.preset is not self._applied:
            self._applied = self._synth.preset
            self._shown = None if self._applied is None else self._applied.name
        return self._shown

    def show(self, name: str | None) -> None:
        """Show another name, or none."""
        self._applied, self._shown = self._synth.preset, name

    def apply(self, name: str) -> None:
        """Apply a preset. Raises CmaudioError for an unknown name; a path is never one."""
        self._synth.apply(self.read(name))

    def save(self, name: str, description: str, tags: Iterable[str] = ()) -> Path:
        """Save the current sound. Raises CmaudioError for an invalid name or a file that cannot be written."""
        path = save_preset(self._synth.as_preset(name, description, tags))
        self.listed = self._read()
        self.show(name)
        return path

    def read(self, name: str) -> Preset:
        """A preset that is listed. Raises CmaudioError for an unknown name; a path is never one."""
        return load_preset(find_preset(name))

    def _read(self) -> list[dict[str, Any]]:
        found = list[dict[str, Any]]()
        for file in preset_files().values():
            try:
                preset = load_preset(file)
            except CmaudioError:
                continue  # `cmaudio presets` reports what is wrong with it
            if preset.model == self._synth.model.manifest.name:
                found.append({"name": preset.name, "description": preset.description, "tags": preset.tags})
        return found
