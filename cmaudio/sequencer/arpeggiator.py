"""An arpeggiator between keys and notes: keys that are held are played one after another, in time with the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.arpeggio import Arpeggio, HeldKey, keys_of_step
from cmaudio.timing.clock import Clock
from cmaudio.timing.held_notes import HeldNotes
from cmaudio.timing.steps import swung
from cmaudio.timing.tempo import SAME_BEAT

OnNote = Callable[[HeldKey, float, float], object]


class Arpeggiator:
    """Arpeggiates the keys of an instrument; created by it, see `Synth.arpeggiator`. Callable from any thread.

    Args:
        clock: keeps time; its engine and controls play.
        on_note: called with every note and the beats at which it starts and ends; the clock's lock is held.
    """

    lasting = False
    priority = 2  # after the step sequencer, so that what is recorded now is heard in the next round

    def __init__(self, clock: Clock, on_note: OnNote | None = None) -> None:
        self._clock, self._on_note = clock, on_note
        self._settings = Arpeggio()
        self._keys: dict[tuple[int, int], HeldKey] = {}  # by channel and pitch, in order
        self._down: set[tuple[int, int]] = set()
        self._notes = HeldNotes()
        self._anchor, self._number, self._first = 0.0, 0, 0

    def __repr__(self) -> str:
        return f"<Arpeggiator {'on' if self._settings.on else 'off'}, {len(self._keys)} keys>"

    @property
    def settings(self) -> Arpeggio:
        """How it arpeggiates."""
        return self._settings

    @property
    def keys(self) -> list[int]:
        """MIDI note numbers that it plays, those of the octaves above left out."""
        return sorted({pitch for _, pitch in self._keys})

    def change(self, **fields: Any) -> Arpeggio:
        """Change fields of `Arpeggio`, from the next step on; returns all of them.

        Raises CmaudioError for an unknown field or a value out of range; then nothing changes.
        """
        with self._clock.lock:
            before, self._settings = self._settings, self._settings.changed(**fields)
            if not self._settings.on:
                self.clear()
            elif before.hold and not self._settings.hold:
                self._keys = {key: held for key, held in self._keys.items() if key in self._down}
                if not self._keys:
                    self._clock.drop(self)
            if self._settings.rate != before.rate and self._clock.has(self):
                self._align(self._clock.boundary(self._settings.rate))
        self._clock.wake()
        return self._settings

    def takes(self, channel: int) -> bool:
        """Whether it arpeggiates the keys of a channel: never those of pads, and none while the clock is stopped."""
        return self._settings.on and channel != PERCUSSION_CHANNEL and self._clock.running

    def press(self, key: HeldKey) -> None:
        """A key is pressed: the first one starts at once, or in time with other parts that are playing."""
        channel, pitch = key.channel, key.pitch
        with self._clock.lock:
            if not self._down and self._settings.hold:
                self._keys.clear()
            self._down.add((channel, pitch))
            self._keys[channel, pitch] = key
            if not self._clock.has(self):
                self._start()

    def lift(self, pitch: int, channel: int = 0) -> bool:
        """A key is released; the last one ends the arpeggio. Returns whether it was one of the arpeggio's keys."""
        with self._clock.lock:
            if (channel, pitch) not in self._down:
                return False
            self._down.discard((channel, pitch))
            if not self._settings.hold:
                self._keys.pop((channel, pitch), None)
                if not self._keys:
                    self._clock.drop(self)  # at once: what was scheduled ahead is cancelled
            return True

    def clear(self, channel: int | None = None) -> None:
        """Release all keys (of a channel)."""
        with self._clock.lock:
            self._keys = {key: held for key, held in self._keys.items() if channel not in (None, key[0])}
            self._down &= self._keys.keys()
            if not self._keys:
                self._clock.drop(self)

    def _start(self) -> None:
        clock = self._clock
        self._first = self._number = 0
        self._align(clock.next_beat(0.0 if clock.alone else self._settings.rate))
        clock.add(self)

    def _align(self, beat: float) -> None:
        self._first += self._number
        self._anchor, self._number = beat, 0

    # -- called by the clock -----------------------------------------------------------------------------------------

    def due(self) -> float | None:
        """The beat of the next event; None once no key is held and all notes are released."""
        if self._keys:
            return min(self._beat(), self._notes.next_release)
        return self._notes.next_release if self._notes else None

    def play(self, at: float) -> None:
        """Release or start what is due, at this sample."""
        beat = self._beat()
        if self._notes and (not self._keys or self._notes.next_release <= beat):
            self._notes.release_next(at)
            return
        settings = self._settings
        end = self._anchor + swung(self._number + settings.gate, settings.swing) * settings.rate
        for key in keys_of_step(settings, list(self._keys.values()), self._first + self._number):
            self._sound(key, beat, end, at)
        self._number += 1

    def begin(self, beat: float) -> None:
        """The clock starts at this beat."""
        self._align(beat)

    def seek(self, beat: float, jumped: bool) -> None:
        """The clock continues at this beat."""
        if jumped:
            self._align(beat)
        while self._beat() < beat - SAME_BEAT:
            self._number += 1

    def silence(self, at: int) -> None:
        """Release sounding notes at a sample, and cancel those that would start later."""
        self._notes.silence(at)

    def _beat(self) -> float:
        return self._anchor + swung(self._number, self._settings.swing) * self._settings.rate

    def _sound(self, key: HeldKey, beat: float, end: float, at: float) -> None:
        engine, controls = self._clock.engine, self._clock.controls
        sample = self._clock.in_time(round(at))
        if sample is None:
            return
        timbre = controls.vector if key.timbre is None else key.timbre
        note = engine.note_on(
            key.pitch, key.velocity, timbre=timbre, seed=controls.seed, channel=key.channel, at=sample
        )
        self._notes.add(end, note, sample, sample - round(at), engine.now)
        if self._on_note is not None:
            self._on_note(key, beat, end)
