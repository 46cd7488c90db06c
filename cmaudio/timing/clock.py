"""The clock of an instrument: its tempo, and what is played in time with it.

Everything is scheduled a little ahead, for exact samples of the engine's clock: when the interpreter comes to it has no
part in the timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Unpack

from cmaudio.checks import in_range
from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.timing.driver import Driver, WithinEngine
from cmaudio.timing.midi_clock import MidiClock
from cmaudio.timing.parts import Glide, Repeated
from cmaudio.timing.pattern import Pattern
from cmaudio.timing.sequencer import Sequencer
from cmaudio.timing.steps import BEATS_RANGE, Feel, PatternSettings, StepLike, checked_quantise, plan_steps
from cmaudio.timing.tempo import TEMPO_RANGE
from cmaudio.timing.transport import BEAT_MAX


class Clock(Sequencer):
    """A clock of an engine; it runs from when it is made, from beat 0. Methods may be called from any thread.

    Args:
        engine: what plays. Rendered with `engine.read` it sounds the same however it is read; a live instrument has a
            clock of its own, `Synth.clock`.
        tempo: beats (quarter notes) a minute. controls: what patterns go by and glides move.
        driver: what moves it on; the engine itself by default. place: the sample for what happened at some seconds.
        on_notice: is told of functions and patterns that fail; by default they are warnings.

    Attributes:
        late, dropped: notes and calls that came late (and were played at once), and too late to be played.
    """

    def __init__(
        self,
        engine: Engine,
        tempo: float = 120.0,
        *,
        controls: Controls | None = None,
        driver: Driver | None = None,
        place: Callable[[float], int] | None = None,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(engine, driver or WithinEngine(engine), tempo, on_notice)
        self.controls = Controls(engine) if controls is None else controls
        self._midi = MidiClock(self, place or (lambda seconds: round(seconds * engine.sample_rate)))

    def play(
        self,
        notes: Iterable[StepLike],
        *,
        quantise: float = 1.0,
        at: float | None = None,
        **settings: Unpack[PatternSettings],
    ) -> Pattern:
        """Play notes as a pattern; returns at once.

        Args:
            notes: numbers, names, chords, rests, ties and steps; see `cmaudio.timing.steps`.
            quantise: begin at the next multiple of so many beats, 0 for at once. at: or at this beat.
            beat, velocity, timbre, gate, swing, humanise_ms, loop, every, seed, channel: see `Feel`.
        Returns what stops, mutes and replaces it. Raises CmaudioError that names the step or value which is wrong.
        """
        model = self.engine.model
        if model.manifest.speech:
            raise CmaudioError(f"model {model.manifest.name!r} reads text and plays no patterns")
        feel = Feel.of(settings)
        steps, beats = plan_steps(notes, feel, model), checked_quantise(quantise)
        with self.lock:
            start = self.next_beat(beats) if at is None else in_range("at", at, 0, BEAT_MAX, "beats")
            pattern = Pattern(self, self.controls, steps, feel, start, beats)
            self.add(pattern)
        return pattern

    def every(self, beats: float, function: Callable[[float], object]) -> Repeated:
        """Call `function(beat)` for each multiple of `beats`, a little before it: what it plays with `at` is exact.

        All else waits while it runs. An error in it is told by a notice and ends it. Returns what stops it.
        """
        interval = in_range("beats", beats, *BEATS_RANGE, "beats")
        with self.lock:
            part = Repeated(self, interval, function, self.next_beat(interval))
            self.add(part)
        return part

    def glide(self, control: str, to: float, beats: float, quantise: float = 0.0) -> Glide:
        """Move a control, or "tempo", to a value over some beats, from the next multiple of `quantise`.

        A control that is moved by hand meanwhile stays there. Returns what stops it. Raises CmaudioError for an unknown
        control or a value out of range.
        """
        over, wait = in_range("beats", beats, *BEATS_RANGE, "beats"), checked_quantise(quantise)
        if control == "tempo":
            in_range(control, to, *TEMPO_RANGE, "beats a minute")
        else:
            _ = self.controls[control]  # raises for an unknown one
            known = self.controls.definitions[control]
            in_range(control, to, known.min, known.max, known.unit)
        with self.lock:
            value, move = partial(self._value, control), partial(self._move, control)
            part = Glide(value, move, to, over, self.next_beat(wait))
            self.add(part)
        return part

    def _value(self, control: str) -> float:
        return self.tempo if control == "tempo" else self.controls[control]

    def _move(self, control: str, value: float, at: int) -> None:
        if control == "tempo":
            self.set_tempo(value)
        else:
            self.controls.set(control, value, "clock", at)

    # -- a MIDI clock ------------------------------------------------------------------------------------------------

    def midi(self, kind: str, seconds: float, value: float = 0) -> None:
        """A message of a MIDI clock came in.

        Args:
            kind: "pulse" (24 a quarter note), "start", "continue", "stop" or "position" (`value` in MIDI beats of 6
                pulses).
            seconds: when, by `time.perf_counter`; for an engine without a device, on the engine's own clock.
        Raises CmaudioError for another kind.
        """
        self._midi.handle(kind, seconds, value)

    @property
    def following(self) -> bool:
        """Whether a MIDI clock leads: its last pulse is less than two beats ago."""
        return self._midi.following

    @property
    def offset_ms(self) -> float:
        """How much later than a key that is struck with the pulse a pulse's beat sounds; negative: earlier."""
        return self._midi.offset_ms

    @offset_ms.setter
    def offset_ms(self, offset_ms: float) -> None:
        self._midi.offset_ms = in_range("offset_ms", offset_ms, -1000, 1000, "milliseconds")
