"""A SoundFont with the modulators of its pianos applied."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from cmaudio.soundfont.modulators import bake_modulators
from cmaudio.soundfont.player import GAIN_DB, SoundFont

# Presets whose filters stay almost closed without modulators: acoustic grand, bright acoustic and honky-tonk piano.
BAKED_PROGRAMS = (0, 1, 3)
_PERCUSSION_BANK = 128
_HEADER_BYTES = 1 << 16


class BakedSoundFont(SoundFont):
    """TinySoundFont playing the file with the pianos' modulators baked in; all other presets are unchanged."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        import tinysoundfont

        self.path, self.sample_rate = path, sample_rate
        self._synth: Any = tinysoundfont.Synth(samplerate=sample_rate, gain=GAIN_DB)
        try:
            self._font = self._synth.sfload(bake_modulators(path.read_bytes(), BAKED_PROGRAMS))
        except (ValueError, struct.error):
            self._font = self._synth.sfload(str(path))

    def select_drums(self, channel: int = 0) -> None:
        """The standard drum kit, its pitch wheel at rest."""
        self.select(0, channel)
        self._synth.program_select(channel, self._font, _PERCUSSION_BANK, 0)


def copyright_notice(path: Path) -> str:
    """The file's copyright notice, "not stated" if it has none."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    at = header.find(b"ICOP")
    if at < 0:
        return "not stated"
    (length,) = struct.unpack_from("<I", header, at + 4)
    return header[at + 8 : at + 8 + length].split(b"\0")[0].decode("utf-8", "replace").strip() or "not stated"
