"""Sounds triggered at random times, each a new take with its own level, position and colour."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from cmaudio.controls.controls import Controls
from cmaudio.engine.note import Note
from cmaudio.timing.scattering import VOICES_MAX, Event, Scattering, ScatterSettings, event_of
from cmaudio.timing.scheduler import Scheduler
from cmaudio.timing.tempo import SAME_BEAT, next_multiple

_FADE_SECONDS = 0.03
_KEPT = 4 * VOICES_MAX  # more notes than can be scheduled ahead or sound
_BRIGHTNESS = 6.0  # dB per octave at full spread of colour


class Scatter:
    """Sounds scattered by a clock; created by `Clock.scatter`. Its methods may be called from any thread.

    Attributes:
        settings: how they are scattered.
    """

    lasting = False
    priority = 1

    def __init__(
        self,
        scheduler: Scheduler,
        controls: Controls,
        timbres: Sequence[NDArray[np.float64]],
        settings: Scattering,
        start: float,
    ) -> None:
        self._scheduler, self._controls, self._timbres = scheduler, controls, timbres
        self.settings = settings
        self._number = 0
        self._last, self._next = start, start  # beats
        self._notes: deque[Note] = deque(maxlen=_KEPT)
        self._textured = "sharpness" in controls.definitions
        self._places = ("pan", "distance") if scheduler.engine.channels > 1 else ()

    def __repr__(self) -> str:
        return f"<Scatter of {self.settings.density:g} events a second, {'playing' if self.playing else 'ended'}>"

    @property
    def playing(self) -> bool:
        """Whether it still triggers events."""
        return self._scheduler.has(self)

    def stop(self) -> None:
        """End it. Sounding notes are released; one-shots play to their end."""
        self._scheduler.drop(self)

    def change(self, **settings: Unpack[ScatterSettings]) -> None:
        """Change how it scatters, from the next event on.

        Raises CmaudioError for an unknown name or a value out of range; then nothing changes.
        """
        changed = self.settings.with_(settings)
        with self._scheduler.lock:
            before, self.settings = self.settings, changed
            self._reconsider(before)
        self._scheduler.wake()

    def _reconsider(self, before: Scattering) -> None:
        """Reschedule the next event according to the changed settings."""
        here, now = self._scheduler.map.beat_at(self._scheduler.edge), self.settings
        if now.seed != before.seed:
            self._number = 0
        if now.grid:
            self._next = next_multiple(max(here, self._last + SAME_BEAT), now.grid)
        elif not now.density or before.grid or not before.density:
            self._next = here
        elif self._next > here:  # the rest of the wait scales with the mean interval
            self._next = here + (self._next - here) * before.density / now.density

    def choose(self, timbres: Sequence[NDArray[np.float64]]) -> None:
        """Set the vectors (Z,) from which later events choose one; none for the timbre of the controls."""
        with self._scheduler.lock:
            self._timbres = timbres

    # -- called by the scheduler -------------------------------------------------------------------------------------

    def due(self) -> float:
        """The beat of the next event; inf while there are none."""
        return self._next if self.settings.density else math.inf

    def play(self, at: float) -> None:
        """Start the next event at this sample; the clock's lock is held."""
        settings, clock = self.settings, self._scheduler.map
        event = event_of(settings, self._number)
        self._number += 1
        self._last = self._next
        rate = self._scheduler.engine.sample_rate
        if settings.grid:
            self._next = next_multiple(self._next + SAME_BEAT * 2, settings.grid)
            interval = clock.sample_at(self._next) - at
            if event.chance >= settings.density * interval / rate:
                return
        else:
            self._next = clock.beat_at(at + event.wait / settings.density * rate)
        sample = self._scheduler.in_time(round(at))
        if sample is not None:
            self._start(event, sample)

    def begin(self, beat: float) -> None:
        """The clock starts at this beat: the same events repeat."""
        self._number, self._last = 0, beat - 1
        self._next = next_multiple(beat, self.settings.grid) if self.settings.grid else beat

    def seek(self, beat: float, jumped: bool) -> None:
        """The clock continues at this beat."""
        if jumped or self._next < beat:
            self._last = beat - 1
            self._next = next_multiple(beat, self.settings.grid) if self.settings.grid else beat

    def silence(self, at: int) -> None:
        """Release all notes at a sample; those that would start later are cancelled."""
        while self._notes:
            self._notes.popleft().off(at=at)

    # -- within ------------------------------------------------------------------------------------------------------

    def _start(self, event: Event, sample: int) -> None:
        settings, engine, controls = self.settings, self._scheduler.engine, self._controls
        timbre = self._timbres[int(event.choice * len(self._timbres))] if self._timbres else controls.vector
        velocity = controls["velocity"] if settings.velocity is None else settings.velocity
        if len(self._notes) >= settings.voices:
            self._notes[-settings.voices].cut(_FADE_SECONDS, at=sample)
        note = engine.note_on(
            event.pitch, velocity, timbre=timbre, seed=event.seed, channel=settings.channel, at=sample
        )
        for name, value in self._expressions(event).items():
            note.express(name, value, 0, at=sample)
        note.off(at=sample + round(settings.seconds * engine.sample_rate))
        self._notes.append(note)

    def _expressions(self, event: Event) -> dict[str, float]:
        """The event's expressions, where they differ from the instrument's settings."""
        values = {"level": event.level_db} | {name: getattr(event, name) for name in self._places}
        if self._textured:
            values |= {"sharpness": 0.5 + event.sharpness, "size": 0.5 + event.size}
        else:
            values["brightness"] = _BRIGHTNESS * event.sharpness
        return {name: value for name, value in values.items() if value}
