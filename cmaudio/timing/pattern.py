"""A playing pattern: the next step and its time, the notes that it starts, and those that it must still release.

Random numbers depend only on the pattern's seed, the round and the step, so that a pattern can be resumed at
any beat.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from cmaudio.controls.controls import Controls
from cmaudio.errors import CmaudioError
from cmaudio.timing.held_notes import HeldNotes
from cmaudio.timing.scheduler import Scheduler
from cmaudio.timing.steps import Feel, PlannedStep, StepLike, checked_quantise, plan_steps, swung
from cmaudio.timing.tempo import SAME_BEAT


class Pattern:
    """A pattern played by a clock; created by `Clock.play`. Its methods may be called from any thread.

    Attributes:
        start: the beat at which it started.
        feel: how it is played.
        steps: what is played.
    """

    lasting = False
    priority = 1  # after functions due at the same beat, which may replace it

    def __init__(
        self,
        scheduler: Scheduler,
        controls: Controls,
        steps: tuple[PlannedStep, ...],
        feel: Feel,
        start: float,
        quantise: float,
    ) -> None:
        self._scheduler, self._controls = scheduler, controls
        self.steps, self.feel, self.start, self._quantise = steps, feel, start, quantise
        self._round, self._index = 0, 0
        self._end = math.inf
        self._replacement: tuple[float, tuple[PlannedStep, ...]] | None = None
        self._muted = False
        self._held = HeldNotes()

    def __repr__(self) -> str:
        state = "playing" if self.playing else "ended"
        return f"<Pattern of {len(self.steps)} steps, {self.length:g} beats, {state}>"

    @property
    def length(self) -> float:
        """Beats of one round."""
        return self.feel.every or self.steps[-1].offset + self.steps[-1].beats

    @property
    def playing(self) -> bool:
        """Whether there is more to come."""
        return self._scheduler.has(self)

    @property
    def muted(self) -> bool:
        """Whether it runs silently."""
        return self._muted

    def mute(self, muted: bool = True) -> None:
        """Mute or unmute; a muted pattern keeps running silently."""
        with self._scheduler.lock:
            self._muted = bool(muted)
            if muted:
                self._held.cancel(self._scheduler.soon())

    def stop(self, quantise: float = 0.0) -> None:
        """End at once, or at the next multiple of `quantise` beats; sounding notes are released then."""
        beats = checked_quantise(quantise)
        with self._scheduler.lock:
            if beats:
                self._end = self._scheduler.boundary(beats)
                self._held.end_by(self._end)
            else:
                self._scheduler.drop(self)

    def replace(self, notes: Iterable[StepLike], quantise: float | None = None) -> None:
        """Replace the notes at the next multiple of `quantise` beats (by default as it was started).

        Raises CmaudioError like `Clock.play`, and if the pattern has ended.
        """
        steps = plan_steps(notes, self.feel, self._scheduler.engine.model)
        beats = self._quantise if quantise is None else checked_quantise(quantise)
        with self._scheduler.lock:
            if not self.playing:
                raise CmaudioError("the pattern has ended: play the notes as a new pattern")
            self._replacement = (max(self.start, self._scheduler.boundary(beats)), steps)
        self._scheduler.wake()

    # -- called by the scheduler -------------------------------------------------------------------------------------

    def due(self) -> float | None:
        """The beat of the next event; None if there is none."""
        first = min(self._onset(), self._held.next_release)
        return None if first == math.inf else first

    def play(self, at: float) -> None:
        """Start or release what is due, at this sample; the clock's lock is held."""
        onset = self._onset()
        if self._held and self._held.next_release <= onset:
            self._held.release_next(at)
            return
        step = self.steps[self._index]
        self._start_notes(step, self._beat_of(step.offset + self.feel.gate * step.beats), at)
        self._advance()

    def begin(self, beat: float) -> None:
        """Start from the first step, at this beat; nothing may be sounding."""
        self._settle()
        self.start, self._round, self._index = beat, 0, 0

    def seek(self, beat: float, jumped: bool) -> None:
        """Continue at the first step not before this beat; `jumped`: the clock was not there before."""
        if jumped:
            self._settle()
            if self.loops and self.feel.rounds is None and beat < self.start:
                self.start -= math.ceil((self.start - beat) / self.length) * self.length
        # Starts one round earlier: swing may delay its last step into this one.
        self._round = max(0, math.floor((beat - self.start) / self.length) - 1) if self.loops else 0
        self._index = 0
        while self._onset() < beat - SAME_BEAT:
            self._advance()

    def silence(self, at: int) -> None:
        """Release all notes at a sample; those that would start later are cancelled."""
        self._held.silence(at)

    # -- within ------------------------------------------------------------------------------------------------------

    @property
    def loops(self) -> bool:
        """Whether it repeats after its last step."""
        return self.feel.loop or self.feel.every is not None

    def _settle(self) -> None:
        """Apply a scheduled end or replacement now, since the clock jumps."""
        if self._end < math.inf:
            self._end = -math.inf
        if self._replacement is not None:
            self.steps, self._replacement = self._replacement[1], None

    def _advance(self) -> None:
        self._index += 1
        if self._index == len(self.steps) or self.steps[self._index].offset >= self.length - SAME_BEAT:
            self._round, self._index = self._round + 1, 0

    def _beat_of(self, offset: float) -> float:
        """The beat of an offset in this round, including swing."""
        place, beat = self._round * self.length + offset, self.feel.beat
        return self.start + (swung(place / beat, self.feel.swing) * beat if self.feel.swing else place)

    def _onset(self) -> float:
        """The beat of the next step; inf after the last. Switches to replaced notes when they are due."""
        last = (self.feel.rounds or math.inf) if self.loops else 1
        ended = self._round >= last
        onset = math.inf if ended else self._beat_of(self.steps[self._index].offset)
        if self._replacement is not None and onset >= self._replacement[0] - SAME_BEAT:
            (onset, self.steps), self._replacement = self._replacement, None
            self.start, self._round, self._index = onset, 0, 0
        return onset if onset < self._end - SAME_BEAT else math.inf

    def _start_notes(self, step: PlannedStep, end: float, at: float) -> None:
        scheduler, controls, feel = self._scheduler, self._controls, self.feel
        rng = np.random.default_rng((feel.seed, self._round, self._index))
        chance, lateness, softness = rng.random(3)
        late_samples = (2 * lateness - 1) * feel.humanise_ms / 1000 * scheduler.engine.sample_rate
        if self._muted or chance >= step.probability or not step.pitches:
            return
        sample = scheduler.in_time(round(at + late_samples))
        if sample is None:
            return
        planned = controls["velocity"] if step.velocity is None else step.velocity
        velocity = min(127.0, max(1.0, planned + (2 * softness - 1) * feel.humanise_ms))
        timbre = controls.vector if step.timbre is None else step.timbre
        seconds = max(0.0, (scheduler.map.sample_at(end) - at) / scheduler.engine.sample_rate)
        for pitch in step.pitches:
            random_seed = int(rng.integers(2**63))
            seed = random_seed if controls.seed is None else controls.seed
            note = scheduler.engine.note_on(pitch, velocity, timbre=timbre, seed=seed, channel=feel.channel, at=sample)
            if step.bend:
                note.bend(step.bend, min(3600.0, seconds), at=sample)
            self._held.add(min(end, self._end), note, sample, sample - round(at), scheduler.engine.now)
