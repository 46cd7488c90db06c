"""The instrument as the panel needs it, beyond other remote controls."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from cmaudio.instrument.playable import RemotelyPlayable
from cmaudio.instrument.preset import Preset
from cmaudio.learning.learn import LearnedTimbre
from cmaudio.midi.input import MidiInput
from cmaudio.output.devices import OpenStream


class PanelInstrument(RemotelyPlayable, Protocol):
    """A live instrument, such as `cmaudio.Synth`, which documents each method."""

    @property
    def midi(self) -> MidiInput | None: ...

    def sustain(self, down: bool = True, channel: int = 0) -> None: ...
    def as_preset(self, name: str, description: str = "", tags: Iterable[str] = ()) -> Preset: ...
    def learn(self, paths: str | Path, *, save: str | Path | None = None) -> LearnedTimbre: ...
    def use_device(self, device: str | int | None, open_stream: OpenStream | None = None) -> None: ...
