"""Mixing: processes events as they come within the horizon, computes the voices' blocks and sums them.

The output does not depend on the read sizes. What fails is left out, if anybody listens for faults (`cmaudio.faults`):
one event, the voices of one evaluation, or the effects of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

import numpy as np

from cmaudio.callbacks import ANY_ERROR
from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.buses import MAIN_ONLY, Buses, Effects, OnStems, Outputs
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.batching import batch_for_read, batch_offline, batch_to_begin, batch_to_spare
from cmaudio.synthesis.deferred import Deferred
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice import Voice

VOICE_GAIN = 0.4  # a chord of four at velocity 90 peaks near -12 dB, sixteen loud voices just reach the limiter


class Mixer:
    """Runs the allocator's schedule and sums its voices.

    Args:
        allocator: owns the voices; mixing advances the clock of its schedule.
        renderer: computes their blocks.
        gain: linear master gain.
        batch_ahead_samples: how early a block may be computed to share an evaluation.
        look_ahead_samples: how early events are processed and blocks computed, for offline use.
        outputs: the output pairs of a stereo mix.

    Attributes:
        gain: linear master gain.
        effects: process the mix; in stereo before the master gain.
        on_stems: receives the parts of a stereo mix, which cost some time to keep separate.
    """

    def __init__(
        self,
        allocator: VoiceAllocator,
        renderer: Renderer,
        gain: Trajectory,
        batch_ahead_samples: int,
        look_ahead_samples: int,
        outputs: Outputs = MAIN_ONLY,
    ) -> None:
        self.gain, self._outputs = gain, outputs
        self.effects: Effects | None = None
        self.on_stems: OnStems | None = None
        self._channels = allocator.settings.channels
        self._allocator, self._schedule, self._renderer = allocator, allocator.schedule, renderer
        self._faults = allocator.faults
        self._batch_ahead, self._look_ahead = batch_ahead_samples, look_ahead_samples
        # Events are processed as soon as a block could use them, so that batching does not affect the output.
        self.horizon_samples = 2 * renderer.block_samples + renderer.stft.overlap
        self._begun: list[Deferred] = []  # second halves of blocks that `prepare` started
        self._known = 0  # events before this sample have been processed

    def prepare(self) -> bool:
        """Do part of the work of the next reads; returns whether there was any. See `Engine.prepare`."""
        self.take_events()
        voices = self._allocator.voices
        if fresh := batch_to_begin(voices, self._schedule.now + self._renderer.block_samples):
            self._render(fresh)
        elif self._begun:
            with suppress(*ANY_ERROR):  # raised again when a voice needs this block
                self._begun.pop(0).result()
        elif soon := batch_to_spare(voices, self._schedule.now, self._batch_ahead):
            try:
                self._begun = self._renderer.begin(soon)
            except ANY_ERROR as error:
                self._allocator.drop_faulty(soon, error)
        else:
            return False
        return True

    def _render(self, voices: list[Voice]) -> None:
        try:
            self._renderer.render(voices)
        except ANY_ERROR as error:  # it is unknown whose block failed, and all of them have been advanced in part
            self._allocator.drop_faulty(voices, error)

    def lacking(self, count: int) -> list[Voice]:
        """Process due events; return the voices that need a block for the next `count` samples. See `Engine`."""
        self.take_events()
        by = self._schedule.now + count
        return [
            v for v in self._allocator.voices if v.params.at < by and v.lacks(by - max(v.params.at, self._schedule.now))
        ]

    def mix(self, count: int) -> Float:
        """The next (N,) or (N, 2 pairs) samples of the mix, before the limiter; silent if all else fails."""
        start = self._schedule.now
        try:
            return self._mix(start, count)
        except ANY_ERROR as error:
            self._faults.handle(error, "everything that sounded was dropped, and the sound goes on")
            self._schedule.now = start + count
            self._allocator.abandon_all(start + count)
            self._begun = []
            return np.zeros(count if self._channels == 1 else (count, 2 * self._outputs.pairs), np.float32)

    def _mix(self, start: int, count: int) -> Float:
        process = None if self.effects is None else self._process
        if self._channels == 1:
            out = np.zeros(count, np.float32)
            self._run(count, lambda done, segment: self._add_voices(out[done : done + segment]))
            if process is not None:
                process(out[:, None], {})
            return out
        buses = Buses(count, self.on_stems is not None, self._outputs)
        self._run(count, lambda done, segment: self._add_placed_voices(buses, done, segment))
        on_stems = self.on_stems and partial(self._faults.attempt, "the stems were not passed on", self.on_stems)
        return buses.finish(VOICE_GAIN, process, self._gain_over(self.gain, start, count), on_stems)

    def _process(self, main: Float, sends: Mapping[str, Float]) -> None:
        """Apply the effects to a block; it stays dry if they fail."""
        effects, dry = self.effects, main.copy()
        if effects is None:
            return
        try:
            effects.process(main, sends)
            if not np.isfinite(main).all():
                raise FloatingPointError("the effects gave NaN or infinity")
        except ANY_ERROR as error:
            main[:] = dry
            self._faults.handle(
                error, "the effects start again from silence, and the sound goes on without them for now"
            )
            effects.recover()

    def _run(self, count: int, add: Callable[[int, int], None]) -> None:
        """Mix `count` samples in segments between events by calling `add(samples done, samples of the segment)`."""
        done = 0
        while done < count:
            self.take_events()
            segment, next_at = count - done, self._schedule.next_at()
            if next_at is not None:
                segment = min(segment, next_at - self.horizon_samples - self._schedule.now)
            if self._look_ahead:
                segment = min(segment, self._look_ahead)  # later blocks may not be computed yet
            add(done, segment)
            self._schedule.now += segment
            done += segment

    def take_events(self) -> None:
        """Run the actions that are due; with look-ahead also later ones, up to where a note could steal a voice.

        Which voice would be stolen depends on the sound until then.
        """
        near = self._schedule.now + self.horizon_samples
        earliest = max(self._schedule.now, self._known - self.horizon_samples)
        self._schedule.receive(earliest)
        self._known, far = max(self._known, near), near + self._look_ahead
        while (at := self._schedule.next_at()) is not None and (
            at <= near or at < self._known or (at <= far and not self._allocator.full(at))
        ):
            try:
                self._schedule.run_next()
            except ANY_ERROR as error:
                self._faults.handle(error, "an event was left out, and the sound goes on")
            self._schedule.receive(earliest)  # an action may submit one that follows immediately
        self._known = max(self._known, far if at is None else min(at, far))

    def _due(self, n: int) -> Iterator[tuple[Voice, int, Float | float]]:
        """The voices that sound within the next n samples, the number of their samples, and their channels' gains.

        Missing blocks are computed first.
        """
        now = self._schedule.now
        # With look-ahead a block is started one block early, so that another thread can finish it in the meantime.
        early = self._renderer.block_samples if self._look_ahead else 0
        while True:
            started = [voice for voice in self._allocator.voices if voice.params.at < now + n]
            due = [(voice, n - max(0, voice.params.at - now)) for voice in started]
            if not any(voice.lacks(wanted + early) for voice, wanted in due):
                break
            self._render(self._next_batch(now + n))
        gains: dict[int, Float | float] = {}
        for voice, wanted in due:
            channel = voice.params.channel
            if channel not in gains:
                gains[channel] = self._gain_over(self._allocator.channels[channel].gain, now, n)
            yield voice, wanted, gains[channel]

    def _add_voices(self, out: Float) -> None:
        """Mix the voices' next samples into `out`."""
        n = len(out)
        for voice, wanted, gain in self._due(n):
            try:
                samples, start = voice.take(wanted), n - wanted
            except ANY_ERROR as error:
                self._allocator.drop_faulty([voice], error)
                continue
            out[start : start + len(samples)] += samples * (
                gain if isinstance(gain, float) else gain[start : start + len(samples)]
            )
        self._allocator.drop_finished()
        out *= np.float32(VOICE_GAIN) * self._gain_over(self.gain, self._schedule.now, n)

    def _add_placed_voices(self, buses: Buses, done: int, n: int) -> None:
        """Mix the voices' next n samples into the buses, from sample `done` on."""
        for voice, wanted, gain in self._due(n):
            try:
                self._add_placed(voice, wanted, gain, buses, done + n - wanted)
            except ANY_ERROR as error:
                self._allocator.drop_faulty([voice], error)
        self._allocator.drop_finished()

    @staticmethod
    def _add_placed(voice: Voice, wanted: int, gain: Float | float, buses: Buses, at: int) -> None:
        """Mix the next samples of a voice into the buses, from sample `at` on; `gain` is its channel's."""
        samples = voice.take(wanted)
        count = samples.shape[1]
        if not isinstance(gain, float):
            start = len(gain) - wanted
            samples = samples * gain[start : start + count]
        elif gain != 1:
            samples = samples * np.float32(gain)
        direct, sends = voice.routed(count)
        near = samples if isinstance(direct, float) and direct == 1 else samples * np.float32(direct)
        buses.add(voice.params.channel, at, near, voice.params.pair)
        for name, level in sends:
            buses.send(name, at, samples * level)

    def _next_batch(self, by: int) -> list[Voice]:
        """Voices to batch into the next evaluation, if all must have samples until `by`."""
        if self._look_ahead:
            return batch_offline(self._allocator.voices, self._known, self._renderer.block_samples)
        return batch_for_read(self._allocator.voices, by, self._batch_ahead)

    @staticmethod
    def _gain_over(gain: Trajectory, start: int, samples: int) -> Float | float:
        gain.forget_before(start)
        return gain.over(start, samples)
