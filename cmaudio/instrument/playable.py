"""The protocols of the instrument against which MIDI, OSC, sliders and panels are typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, Unpack

from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.engine.speech import Speech
from cmaudio.instrument.preset import Preset
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.state import InstrumentState
from cmaudio.instrument.take import Take
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.output.player import Player
from cmaudio.sequencer.arpeggiator import Arpeggiator
from cmaudio.sequencer.step_sequencer import StepSequencer
from cmaudio.speech.style import SpeakingStyle
from cmaudio.timing.clock import Clock
from cmaudio.timing.link import Link
from cmaudio.timing.link_session import LinkSession


class Playable(Protocol):
    """Keys, texts and controls. Methods may be called from any thread; see `Instrument`."""

    @property
    def engine(self) -> Engine: ...
    @property
    def model(self) -> Model: ...
    @property
    def controls(self) -> Controls: ...

    def note_on(
        self,
        pitch: float | str,
        velocity: float = 96,
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note: ...
    def press(
        self,
        pitch: int | str,
        velocity: float | None = None,
        *,
        timbre: Timbre | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note: ...
    def lift(self, pitch: int | str, channel: int = 0, at: int | None = None) -> None: ...
    def say(
        self,
        text: str | Iterable[str],
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        phonemes: bool = False,
        ssml: bool = False,
        pronunciations: Mapping[str, str] | None = None,
        **style: Unpack[SpeakingStyle],
    ) -> Speech: ...
    def all_notes_off(self, channel: int | None = None, at: int | None = None) -> None: ...
    def place(self, seconds: float | None = None) -> int: ...
    def wake(self) -> None: ...
    def panic(self) -> None: ...


class RemotelyPlayable(Playable, Protocol):
    """What remote controls need in addition: presets, recordings, the clock and the instrument's state."""

    @property
    def recorder(self) -> Recorder: ...
    @property
    def player(self) -> Player: ...
    @property
    def preset(self) -> Preset | None: ...
    @property
    def impulse_response(self) -> str | None: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def sequencer(self) -> StepSequencer: ...
    @property
    def arpeggiator(self) -> Arpeggiator: ...
    @property
    def link(self) -> Link | None: ...

    def connect_link(
        self, *, quantum: float = 4.0, start_stop: bool = True, session: LinkSession | None = None
    ) -> Link: ...
    def disconnect_link(self) -> None: ...

    def apply(self, preset: Preset | str | Path, morph_seconds: float = 0.2) -> Preset: ...
    def keep(self, path: str | Path, seconds: float | None = None) -> Path: ...
    def record(self, path: str | Path) -> Take: ...
    def use_impulse_response(self, path: str | Path | None) -> None: ...
    def state(self) -> InstrumentState: ...
