"""The live instrument: an engine with a sound card, controls, clock, presets and recordings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, Unpack, overload

from cmaudio.controls.binding import BindingSet
from cmaudio.controls.controls import Controls
from cmaudio.controls.routes import checked_routes
from cmaudio.effects.insert import Insert, InsertFunction
from cmaudio.engine.engine import Engine
from cmaudio.engine.meter import EngineState
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset import Preset, applicable_routes, applicable_settings, preset_of
from cmaudio.instrument.preset_files import load_preset
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.take import Take
from cmaudio.instrument.timed_engine import TimedEngine
from cmaudio.model.timbres import Timbre
from cmaudio.output.devices import OpenStream
from cmaudio.output.player import Player
from cmaudio.output.state import PlayerState
from cmaudio.score.arrangement import Missing, arrange
from cmaudio.score.events import Score
from cmaudio.timing.pattern import Pattern
from cmaudio.timing.steps import PatternSettings, StepLike


@dataclass(frozen=True)
class InstrumentState:
    """Level, voices, load, output buffer and underruns."""

    engine: EngineState
    player: PlayerState


class Instrument(TimedEngine):
    """An engine that plays through a player. A context manager; its methods may be called from any thread.

    Args:
        engine: synthesises the sound.
        recorder: records the engine; the player reads from it.
        player: plays the recorder; already started.
        on_notice: called with one line about each problem, for example with the device.
        gain_db: the master gain that the engine was created with.

    Attributes:
        controls: every control by name, shared by all ways to play.
        bindings: MIDI controllers bound to controls, if MIDI is connected; presets read and extend them.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        player: Player,
        on_notice: Callable[[str], None] | None = None,
        gain_db: float = 0.0,
    ) -> None:
        super().__init__(engine, player, Controls(engine, gain_db), on_notice)
        self.recorder = recorder
        self._takes: list[Take] = []
        self.bindings: BindingSet | None = None
        self._preset: Preset | None = None
        self._impulse_response: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @overload
    def play(
        self,
        piece: Score,
        *,
        timbre: Timbre | None = None,
        missing: Missing = "nearest",
        percussion: Missing = "omit",
        delay: float = 0.2,
    ) -> list[str]: ...

    @overload
    def play(
        self,
        piece: Iterable[StepLike],
        *,
        quantise: float = 1.0,
        at: float | None = None,
        **settings: Unpack[PatternSettings],
    ) -> Pattern: ...

    def play(self, piece: Score | Iterable[StepLike], **settings: Any) -> list[str] | Pattern:
        """Start a score (from `cmaudio.read_midi`) or a pattern (a list of notes); returns immediately.

        A score takes `timbre`, `missing` and `percussion` (see `cmaudio.render`) and `delay` in seconds, and returns
        notices of what the model lacks. A pattern takes the arguments of `Clock.play`, and returns the `Pattern`,
        which can be stopped, muted and replaced.
        """
        return self._play_score(piece, **settings) if isinstance(piece, Score) else self.clock.play(piece, **settings)

    def _play_score(
        self,
        score: Score,
        *,
        timbre: Timbre | None = None,
        missing: Missing = "nearest",
        percussion: Missing = "omit",
        delay: float = 0.2,
    ) -> list[str]:
        arrangement = arrange(score, self.model, timbre=timbre, missing=missing, percussion=percussion)
        at = self.engine.now + round(delay * self.engine.sample_rate)
        self.engine.play(arrangement.score, arrangement.timbres, at)
        self.wake()
        return arrangement.notices

    def insert(self, function: InsertFunction) -> Insert:
        """Insert a function of your own after the effects: (n, channels) float32 -> the same shape.

        It runs on the synthesis thread. The returned insert has `load` and `remove`. A function that raises, returns
        anything else, or takes over half of the available time four times in a row is bypassed, with one notice.
        """
        return self.engine.insert(function, self.player.notify, live=True)

    def use_impulse_response(self, path: str | Path | None) -> None:
        """Replace the reverb by an impulse response from a sound file; None restores the reverb.

        Raises CmaudioError for a file that is empty, silent, damaged, or has other than 1, 2 or 4 channels.
        """
        self.engine.set_impulse_response(path, on_notice=self.player.notify)
        self._impulse_response = None if path is None else str(path)

    @property
    def impulse_response(self) -> str | None:
        """The impulse response that replaces the reverb, as a sound file; None for the reverb."""
        return self._impulse_response

    def apply(self, preset: Preset | str | Path, morph_seconds: float = 0.2) -> Preset:
        """Apply a preset (its name, its file, or a `Preset`); sounding notes morph to its timbre.

        Raises CmaudioError for an unknown preset, one of another model, an unknown timbre, or an impulse response that
        cannot be used; then nothing changes.
        """
        chosen = preset if isinstance(preset, Preset) else load_preset(preset)
        if chosen.model != self.model.manifest.name:
            raise CmaudioError(
                f"preset {chosen.name!r} is for model {chosen.model!r}, but {self.model.manifest.name!r} is open; "
                "open that model"
            )
        self.model.timbre_vector(chosen.timbre)
        routes = checked_routes(applicable_routes(chosen, self.controls), self.controls.definitions)
        if chosen.impulse_response != self._impulse_response:
            self.use_impulse_response(chosen.impulse_response)
        self.controls.apply(applicable_settings(chosen, self.controls))
        self.controls.set_routes(routes)
        self._preset = chosen
        self.controls.set_timbre(chosen.timbre, morph_seconds)
        self.controls.set_seed(chosen.seed)
        if self.bindings is not None:
            for binding in chosen.bindings:
                self.bindings.add(binding)
        self.wake()
        return chosen

    def as_preset(self, name: str, description: str = "", tags: Iterable[str] = ()) -> Preset:
        """The current settings, including MIDI bindings, as a preset.

        Raises CmaudioError for an invalid name.
        """
        bindings = self.bindings or ()
        return preset_of(self.controls, self.model, name, description, bindings, self._impulse_response, tags)

    @property
    def preset(self) -> Preset | None:
        """The last preset applied."""
        return self._preset

    def keep(self, path: str | Path, seconds: float | None = None) -> Path:
        """Write the most recent sound, up to five minutes, to a .wav or .flac and a .mid file; see `Recorder.keep`."""
        return self.recorder.keep(path, seconds)

    def record(self, path: str | Path) -> Take:
        """Start recording, until the take is stopped or the instrument is closed; see `Take`."""
        take = Take(self.recorder, path, self.on_notice)
        self._takes.append(take)
        return take

    def wait(self, seconds: float) -> None:
        """Block for some seconds while it plays. Raises the error of the synthesis thread if it failed."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.player.raise_if_failed()
            time.sleep(min(left, 0.05))

    def use_device(self, device: str | int | None, open_stream: OpenStream | None = None) -> None:
        """Switch to another output without interrupting the sound; see `Player.use_device`."""
        self.player.use_device(device, open_stream)

    def state(self) -> InstrumentState:
        """Level, voices, load, output buffer, underruns."""
        return InstrumentState(self.engine.state(), self.player.state())

    def close(self) -> None:
        """Fade out, close the sound card, and end takes and everything attached."""
        with ExitStack() as stack:  # in reverse order, even if some fail
            for take in self._takes:
                stack.callback(take.finish)
            stack.callback(self.player.close)
            for attached in self._attached:
                stack.callback(attached.close)
