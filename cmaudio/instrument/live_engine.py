"""A live engine: notes and texts that sound immediately, with the timbre and seed of the controls by default."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Unpack, cast

from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.engine.speech import Speech
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.output.player import Player
from cmaudio.speech.style import SpeakingStyle


class LiveEngine:
    """An engine that plays through a player. Methods may be called from any thread.

    Args:
        engine: synthesises the sound.
        player: plays the engine; already started.
        controls: every control by name, shared by all ways to play.
    """

    def __init__(self, engine: Engine, player: Player, controls: Controls) -> None:
        self.engine, self.player, self.controls = engine, player, controls

    @property
    def model(self) -> Model:
        """The loaded model."""
        return self.engine.model

    def note_on(
        self,
        pitch: float | str,
        velocity: float = 96,
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """Start a note, by default now; see `Engine.note_on`. The returned note can be bent, morphed and released.

        Timbre and seed default to those of the controls.
        """
        timbre, seed = self._with_defaults(timbre, seed)
        note = self.engine.note_on(pitch, velocity, timbre=timbre, seed=seed, channel=channel, at=at)
        self.wake()
        return note

    def _with_defaults(self, timbre: Timbre | None, seed: int | None) -> tuple[Timbre, int | None]:
        """Timbre and seed, by default those of the controls."""
        return self.controls.vector if timbre is None else timbre, self.controls.seed if seed is None else seed

    def modulate(self, modulator: str, control: str, amount: float) -> None:
        """Route a modulator to a control, as `Controls.route` does; an amount of 0 removes the route."""
        self.controls.route(modulator, control, amount)
        self.wake()

    def press(
        self,
        pitch: int | str,
        velocity: float | None = None,
        *,
        timbre: Timbre | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """Press a key: like `note_on`, but the velocity defaults to the velocity control."""
        timbre, seed = self._with_defaults(timbre, None)
        struck = self.controls["velocity"] if velocity is None else velocity
        note = self.engine.press(pitch, struck, timbre=timbre, seed=seed, channel=channel, at=at)
        self.wake()
        return note

    def lift(self, pitch: int | str, channel: int = 0, at: int | None = None) -> None:
        """Release a key; pedals may hold its note."""
        self.engine.lift(pitch, channel, at)

    def place(self, seconds: float | None = None) -> int:
        """The sample `at` for an event at `seconds` (of `time.perf_counter`; by default now).

        Events placed this way sound a constant time after they occurred, without jitter from the output buffer.
        """
        return self.player.place(time.perf_counter() if seconds is None else seconds)

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
    ) -> Speech:
        """Speak a text now; returns immediately. `text` may be a generator that is still producing words.

        See `Engine.say`. The returned speech can be followed, steered and stopped.
        """
        timbre, seed = self._with_defaults(timbre, seed)
        speech = self.engine.say(
            text,
            timbre=timbre,
            seed=seed,
            channel=channel,
            phonemes=phonemes,
            ssml=ssml,
            pronunciations=pronunciations,
            background=True,
            on_segment=self.wake,
            **cast("SpeakingStyle", self.controls.style | style),
        )
        self.wake()
        return speech

    def all_notes_off(self, channel: int | None = None, at: int | None = None) -> None:
        """Release all notes and pedals (of a channel)."""
        self.engine.all_notes_off(channel, at)

    def sustain(self, down: bool = True, channel: int = 0) -> None:
        """Press or lift the sustain pedal."""
        self.engine.sustain(down, channel)

    def bend(self, semitones: float, channel: int = 0) -> None:
        """Bend a whole channel."""
        self.engine.bend(semitones, channel)

    def pitch_wheel(self, position: float, channel: int = 0) -> None:
        """Move the pitch wheel, -1 to 1, times the engine's `bend_range`."""
        self.engine.pitch_wheel(position, channel)

    def gain(self, gain_db: float) -> None:
        """Set the master gain in dB; the limiter after it keeps the output from clipping."""
        self.controls.set("gain", gain_db)

    def wake(self) -> None:
        """Make the synthesis thread check for new events now. Raises its error if it failed."""
        self.player.wake()
