"""A step sequencer on a clock: patterns that are edited, switched at the bar and recorded while they play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError
from cmaudio.sequencer.bank import PatternBank, load_bank, save_bank
from cmaudio.sequencer.grid import GridPattern
from cmaudio.sequencer.known import check_bank
from cmaudio.sequencer.player import GridPlayer
from cmaudio.sequencer.recording import Recording
from cmaudio.timing.clock import Clock

Listener = Callable[[], object]


class StepSequencer:
    """Plays the patterns of a bank; an instrument's is `Synth.sequencer`. Methods may be called from any thread.

    Args:
        clock: keeps time; its engine and controls play.
        bank: the initial patterns, by default one empty pattern.

    Raises:
        CmaudioError: a timbre, pad or control that the model lacks.
    """

    def __init__(self, clock: Clock, bank: PatternBank | None = None) -> None:
        self.clock = clock
        self._bank = PatternBank()
        self._selected = self._bank.names[0]
        self._player: GridPlayer | None = None
        self._recording: Recording | None = None
        self._listeners: tuple[Listener, ...] = ()
        if bank is not None:
            self.bank = bank

    # -- patterns ----------------------------------------------------------------------------------------------------

    @property
    def bank(self) -> PatternBank:
        """All patterns; assigning another takes effect at the next step.

        Raises CmaudioError for a timbre, pad or control that the model lacks; then nothing changes.
        """
        return self._bank

    @bank.setter
    def bank(self, bank: PatternBank) -> None:
        self._check(bank)
        with self.clock.lock:
            self._use(bank)

    def _check(self, bank: PatternBank) -> None:
        check_bank(bank, self.clock.engine.model, self.clock.controls)

    def _use(self, bank: PatternBank) -> None:
        before, self._bank = self._bank, bank
        if self._selected not in bank.names:
            self._selected = bank.names[0]
        if bank.tempo is not None and bank.tempo != before.tempo:
            self.clock.set_tempo(bank.tempo)
        self._changed()

    @property
    def pattern(self) -> GridPattern:
        """The selected pattern."""
        return self._bank.pattern(self._selected)

    def edit(self, pattern: GridPattern, name: str | None = None) -> None:
        """Replace the pattern of this name (by default that of `pattern`), or add it; heard from the next step on.

        Raises CmaudioError for a timbre, pad or control that the model lacks, and for too many patterns.
        """
        with self.clock.lock:
            renamed = name is not None and name == self._selected
            bank = self._bank.with_pattern(pattern, name)
            self._check(bank)
            if renamed:
                self._selected = pattern.name
            if self._player is not None and name == self._player.name:
                self._player.name = pattern.name
            self._use(bank)

    def change(self, **fields: Any) -> GridPattern:
        """Change fields of the selected pattern, such as `length`, `division`, `swing` and `lanes`; returns it.

        Raises CmaudioError for an unknown field or a value out of range.
        """
        with self.clock.lock:
            before = self._selected
            self.edit(self.pattern.changed(**fields), before)
            return self.pattern

    def remove(self, name: str) -> None:
        """Remove a pattern. Raises CmaudioError for an unknown one, and for the last."""
        with self.clock.lock:
            self.bank = self._bank.without_pattern(name)

    def select(self, name: str) -> None:
        """Select the pattern to edit and play; while playing, it takes over at the next bar.

        Raises CmaudioError for an unknown name.
        """
        with self.clock.lock:
            self._bank.pattern(name)
            self._selected = name
            player = self._player
            if player is not None and self.playing:
                at = self.clock.boundary(self._bank.bar)
                player.queued = None if player.name == name else (at, name)
            self._changed()

    def load(self, path: str | Path) -> PatternBank:
        """Load the patterns of a file; see `load_bank`."""
        self.bank = load_bank(path)
        return self._bank

    def save(self, path: str | Path) -> Path:
        """Write all patterns to a file, as JSON, replacing an existing one. Raises CmaudioError if that fails."""
        return save_bank(self._bank, path)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener()` after every change of patterns or selection; returns a function that unsubscribes."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def _changed(self) -> None:
        self.clock.wake()
        for listener in self._listeners:
            listener()

    # -- transport ---------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play the selected pattern from the next bar, or at once if the clock plays nothing else.

        Raises CmaudioError for a text-to-speech model.
        """
        clock = self.clock
        if clock.engine.model.manifest.speech:
            raise CmaudioError(f"model {clock.engine.model.manifest.name!r} is a text-to-speech voice without patterns")
        with clock.lock:
            if self.playing:
                return
            if clock.alone:
                clock.start(0)
                start = 0.0
            else:
                clock.resume()
                start = clock.next_beat(self._bank.bar)
            self._player = GridPlayer(clock, clock.controls, lambda: self._bank, self._selected, start)
            clock.add(self._player)
            self._changed()

    def stop(self) -> None:
        """Stop playing and recording; sounding notes are released."""
        with self.clock.lock:
            self._recording = None
            if self._player is not None:
                self.clock.drop(self._player)
            self._player = None
            self._changed()

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        player = self._player
        return player is not None and self.clock.has(player)

    @property
    def position(self) -> tuple[str, int] | None:
        """Pattern and step that play; None while it is stopped."""
        player = self._player
        return player.position if player is not None and self.playing else None

    @property
    def queued(self) -> str | None:
        """The pattern that takes over at the next bar, if any."""
        player = self._player
        waiting = None if player is None or not self.playing else player.queued
        return None if waiting is None else waiting[1]

    # -- recording ---------------------------------------------------------------------------------------------------

    def record(self, strength: float = 1.0) -> Recording:
        """Add notes that are played to the playing pattern, until `stop_recording`; starts playing if necessary.

        Keys of an instrument (MIDI, OSC, panel, `Synth.press`) and its arpeggiator are recorded. Notes go into the
        lane of their timbre, pad hits into one lane per pad; missing lanes are added.

        Args:
            strength: how far notes are moved to the nearest step: 1 entirely, 0 not at all.
        """
        moved = in_range("strength", strength, 0, 1, "of the way to the step")
        with self.clock.lock:
            self.play()
            self._recording = Recording(self, moved)
            self._changed()
            return self._recording

    def stop_recording(self) -> None:
        """Stop recording; the pattern continues to play."""
        with self.clock.lock:
            self._recording = None
            self._changed()

    @property
    def recording(self) -> Recording | None:
        """The active recording, if it is recording and playing."""
        return self._recording if self.playing else None

    def step_at(self, beat: float) -> tuple[str, int, float] | None:
        """Pattern and step nearest to a beat, and by what fraction of a step the beat is later; None if stopped."""
        player = self._player
        return None if player is None or not self.playing else (player.pattern.name, *player.step_at(beat))
