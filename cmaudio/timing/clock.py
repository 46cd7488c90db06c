"""The clock of an instrument: its tempo, and the patterns, functions and glides that run in time with it.

Everything is scheduled slightly ahead, at exact samples of the engine's clock, so that delays of the interpreter do not
affect the timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Unpack

from cmaudio.checks import in_range
from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.timbres import Timbre
from cmaudio.timing.driver import Driver, WithinEngine
from cmaudio.timing.midi_clock import MidiClock
from cmaudio.timing.parts import Glide, Repeated
from cmaudio.timing.pattern import Pattern
from cmaudio.timing.scatter import Scatter
from cmaudio.timing.scatter_by_controls import ScatterByControls
from cmaudio.timing.scattering import Scattering, ScatterSettings, chosen_timbres
from cmaudio.timing.scheduler import Scheduler
from cmaudio.timing.steps import BEATS_RANGE, Feel, PatternSettings, StepLike, checked_quantise, plan_steps
from cmaudio.timing.tempo import TEMPO_RANGE
from cmaudio.timing.transport import BEAT_MAX


class Clock(Scheduler):
    """A clock of an engine, which starts at beat 0 when it is created. Methods may be called from any thread.

    Args:
        engine: plays the notes; the sizes of `engine.read` do not affect them. A live instrument has its own clock,
            `Synth.clock`.
        tempo: beats (quarter notes) per minute.
        controls: supply velocity, timbre and seed of patterns; glides change them.
        driver: advances the clock; by default the engine itself.
        place: returns the sample at which an event at a time in seconds should sound.
        on_notice: called when a function or a pattern fails; by default it is a warning.

    Attributes:
        late: number of notes and calls that were late and happened immediately.
        dropped: number of notes and calls that were too late and did not happen.
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
        self._scattered = ScatterByControls(self, self.controls)
        self._midi_ignored = False
        self._midi = MidiClock(self, place or (lambda seconds: round(seconds * engine.sample_rate)))

    def play(
        self,
        notes: Iterable[StepLike],
        *,
        quantise: float = 1.0,
        at: float | None = None,
        **settings: Unpack[PatternSettings],
    ) -> Pattern:
        """Play notes as a pattern; returns immediately.

        Args:
            notes: numbers, names, chords, rests, ties and steps; see `cmaudio.timing.steps`.
            quantise: start at the next multiple of this many beats, 0 for immediately.
            at: start at this beat instead.
            settings: the fields of `Feel`.

        Returns:
            The pattern, which can be stopped, muted and replaced.

        Raises:
            CmaudioError: an invalid step or value, which is named.
        """
        self._demand_notes("patterns")
        feel = Feel.of(settings)
        steps, beats = plan_steps(notes, feel, self.engine.model), checked_quantise(quantise)
        with self.lock:
            start = self.next_beat(beats) if at is None else in_range("at", at, 0, BEAT_MAX, "beats")
            pattern = Pattern(self, self.controls, steps, feel, start, beats)
            self.add(pattern)
        return pattern

    def scatter(
        self,
        timbres: Timbre | Sequence[Timbre] | None = None,
        *,
        quantise: float = 0.0,
        at: float | None = None,
        **settings: Unpack[ScatterSettings],
    ) -> Scatter:
        """Trigger sounds at random times, each a new take with its own level, position and colour.

        Args:
            timbres: a timbre, or a list from which each event chooses one; None for that of the controls.
            quantise: start at the next multiple of this many beats, 0 for immediately.
            at: start at this beat instead.
            settings: the fields of `Scattering`.

        Returns:
            The scatter, which can be changed and stopped.

        Raises:
            CmaudioError: an unknown timbre, or an invalid value, which is named.
        """
        self._demand_notes("scattered sounds")
        found, how = chosen_timbres(timbres, self.engine.model), Scattering().with_(settings)
        beats = checked_quantise(quantise)
        with self.lock:
            start = self.next_beat(beats) if at is None else in_range("at", at, 0, BEAT_MAX, "beats")
            scatter = Scatter(self, self.controls, found, how, start)
            self.add(scatter)
        return scatter

    def scatter_among(self, timbres: Timbre | Sequence[Timbre] | None) -> None:
        """Set what the control `scatter` triggers: a timbre, or several from which each event chooses one.

        None, the default, is the timbre of the controls. Raises CmaudioError for an unknown timbre.
        """
        self._demand_notes("scattered sounds")
        self._scattered.choose(chosen_timbres(timbres, self.engine.model))

    def _demand_notes(self, what: str) -> None:
        if self.engine.model.manifest.speech:
            raise CmaudioError(f"model {self.engine.model.manifest.name!r} is a text-to-speech voice and has no {what}")

    def every(self, beats: float, function: Callable[[float], object]) -> Repeated:
        """Call `function(beat)` for each multiple of `beats`, slightly before it is due, so that it can schedule notes.

        Everything else waits while it runs. An error in it ends it, with a notice. Returns an object that stops it.
        """
        interval = in_range("beats", beats, *BEATS_RANGE, "beats")
        with self.lock:
            part = Repeated(self, interval, function, self.next_beat(interval))
            self.add(part)
        return part

    def glide(self, control: str, to: float, beats: float, quantise: float = 0.0) -> Glide:
        """Change a control, or "tempo", gradually over some beats, from the next multiple of `quantise`.

        It ends early if anything else sets the control in the meantime. Returns an object that stops it. Raises
        CmaudioError for an unknown control or a value out of range.
        """
        over, wait = in_range("beats", beats, *BEATS_RANGE, "beats"), checked_quantise(quantise)
        if control == "tempo":
            in_range(control, to, *TEMPO_RANGE, "beats per minute")
        else:
            _ = self.controls[control]  # raises for an unknown control
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
        """Follow a message of a MIDI clock.

        Args:
            kind: "pulse" (24 per quarter note), "start", "continue", "stop" or "position" (in MIDI beats of 6 pulses).
            seconds: arrival time, by `time.perf_counter`; without a device, on the engine's own clock.
            value: the song position.

        Raises:
            CmaudioError: another kind.
        """
        if self.led_by is None:
            self._midi.handle(kind, seconds, value)
        elif not self._midi_ignored:
            self._midi_ignored = True
            self._notice(f"the MIDI clock is ignored, since {self.led_by} leads")

    @property
    def following(self) -> bool:
        """Whether a MIDI clock is followed: its last pulse is less than two beats ago."""
        return self._midi.following

    @property
    def alone(self) -> bool:
        """Whether nothing is playing and nothing else leads, so that the beat may be chosen freely."""
        return super().alone and not self.following

    @property
    def offset_ms(self) -> float:
        """How much later the beat of a pulse sounds than a key pressed at the same time; negative: earlier."""
        return self._midi.offset_ms

    @offset_ms.setter
    def offset_ms(self, offset_ms: float) -> None:
        self._midi.offset_ms = in_range("offset_ms", offset_ms, -1000, 1000, "milliseconds")
