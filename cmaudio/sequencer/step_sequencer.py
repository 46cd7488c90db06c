"""A step sequencer on a clock: patterns that are edited, switched at the bar and recorded while they play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmaudio.callbacks import Subscribers
from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError
from cmaudio.sequencer.bank import PatternBank, load_bank, save_bank
from cmaudio.sequencer.compatibility import check_bank
from cmaudio.sequencer.grid import GridPattern
from cmaudio.sequencer.player import GridPlayer, Playing
from cmaudio.sequencer.recording import Recording
from cmaudio.sequencer.song import Song
from cmaudio.timing.clock import Clock


class StepSequencer:
    """Plays the patterns of a bank, or their song; an instrument's is `Synth.sequencer`.

    Methods may be called from any thread.

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
        self._listeners = Subscribers[[]]()
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
            if self._player is not None and name is not None:
                self._player.rename(name, pattern.name)
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

    @property
    def song(self) -> Song:
        """The order of patterns that `play(song=True)` plays; assigning another takes effect at once.

        Raises CmaudioError for a pattern that is not in the bank; then nothing changes.
        """
        return self._bank.song

    @song.setter
    def song(self, song: Song) -> None:
        with self.clock.lock:
            self.bank = self._bank.changed(song=song)

    def select(self, name: str) -> None:
        """Choose the pattern to edit and play; it replaces a playing pattern at the next bar, but not a song.

        Raises CmaudioError for an unknown name.
        """
        with self.clock.lock:
            self._bank.pattern(name)
            self._selected = name
            player = self._player
            if player is not None and self.playing and not player.plays_song:
                self._queue(player, name)
            self._changed()

    def _queue(self, player: GridPlayer, name: str, part: int | None = None) -> None:
        """Queue a pattern, or the song, for the next bar, unless it is playing already."""
        wanted, now = Playing(self.clock.boundary(self._bank.bar), name, part), player.current
        is_playing = now.part is not None if part is not None else now.part is None and now.name == name
        player.queued = None if is_playing else wanted

    def load(self, path: str | Path) -> PatternBank:
        """Load the patterns of a file; see `load_bank`."""
        self.bank = load_bank(path)
        return self._bank

    def save(self, path: str | Path) -> Path:
        """Write all patterns to a file, as JSON, replacing an existing one. Raises CmaudioError if that fails."""
        return save_bank(self._bank, path)

    def subscribe(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call `listener()` after every change of patterns or selection; returns a function that unsubscribes."""
        return self._listeners.subscribe(listener)

    def _changed(self) -> None:
        self.clock.wake()
        self._listeners.notify()

    # -- transport ---------------------------------------------------------------------------------------------------

    def play(self, song: bool = False) -> None:
        """Play the selected pattern, or the song from its first part, from the next bar, or at once if nothing plays.

        Raises CmaudioError for a text-to-speech model, and for a song without parts.
        """
        clock = self.clock
        if clock.engine.model.manifest.speech:
            raise CmaudioError(f"model {clock.engine.model.manifest.name!r} is a text-to-speech voice without patterns")
        with clock.lock:
            if song and not self.song.parts:
                raise CmaudioError("the song has no parts; add patterns to it")
            name, part = (self.song.parts[0].pattern, 0) if song else (self._selected, None)
            if (player := self._player) is not None and self.playing:
                if player.plays_song != song:
                    self._queue(player, name, part)
                    self._changed()
                return
            self._recording = None
            if clock.alone:
                clock.start(0)
                start = 0.0
            else:
                clock.resume()
                start = clock.next_beat(self._bank.bar)
            self._player = GridPlayer(clock, clock.controls, lambda: self._bank, Playing(start, name, part))
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
        found = self._position
        return None if found is None else (found[0].name, found[1])

    @property
    def part(self) -> int | None:
        """The part of the song that plays, counted from 0; None while no song plays."""
        found = self._position
        return None if found is None else found[0].part

    @property
    def _position(self) -> tuple[Playing, int] | None:
        player = self._player
        return player.position if player is not None and self.playing else None

    @property
    def plays_song(self) -> bool:
        """Whether the song plays, or is queued."""
        player = self._player
        return player is not None and self.playing and player.plays_song

    @property
    def queued(self) -> str | None:
        """The pattern that takes over at the next bar, if any."""
        player = self._player
        waiting = None if player is None or not self.playing else player.queued
        return None if waiting is None or waiting.part is not None else waiting.name

    # -- recording ---------------------------------------------------------------------------------------------------

    def record(self, strength: float = 1.0) -> Recording:
        """Add what is played to the pattern that plays, until `stop_recording`; one is started if none does.

        Keys of an instrument (MIDI, OSC, panel, `Synth.press`) and its arpeggiator are recorded. Notes go into the
        lane of their timbre, pad hits into one lane per pad; missing lanes are added.

        Args:
            strength: how far notes are moved to the nearest step: 1 entirely, 0 not at all.
        """
        moved = in_range("strength", strength, 0, 1, "of the way to the step")
        with self.clock.lock:
            if not self.playing:
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
        return None if player is None or not self.playing else player.step_at(beat)
