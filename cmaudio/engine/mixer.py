"""Samples out: events are taken as they come within the horizon, and the voices' blocks are computed and mixed.

The output does not depend on the sizes of the reads.
"""

from __future__ import annotations

import numpy as np

from cmaudio.engine.allocator import VoiceAllocator
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
        look_ahead_samples: how early events are taken and blocks computed, for offline use.
    """

    def __init__(
        self,
        allocator: VoiceAllocator,
        renderer: Renderer,
        gain: Trajectory,
        batch_ahead_samples: int,
        look_ahead_samples: int,
    ) -> None:
        self.gain = gain
        self._allocator, self._schedule, self._renderer = allocator, allocator.schedule, renderer
        self._batch_ahead, self._look_ahead = batch_ahead_samples, look_ahead_samples
        # Events are taken as soon as a block could use them, so that batching does not affect the output.
        self.horizon_samples = 2 * renderer.block_samples + renderer.stft.overlap
        self._begun: list[Deferred] = []  # second halves of blocks that `prepare` began
        self._known = 0  # events before this sample have been taken

    def prepare(self) -> bool:
        """Do part of the work of the next reads; returns whether there was any. See `Engine.prepare`."""
        self.take_events()
        voices = self._allocator.voices
        if fresh := batch_to_begin(voices, self._schedule.now + self._renderer.block_samples):
            self._renderer.render(fresh)
        elif self._begun:
            self._begun.pop(0).result()
        elif soon := batch_to_spare(voices, self._schedule.now + self._batch_ahead):
            self._begun = self._renderer.begin(soon)
        else:
            return False
        return True

    def mix(self, count: int) -> Float:
        """The next (N,) samples of the mix, before the limiter."""
        out = np.zeros(count, np.float32)
        done = 0
        while done < count:
            self.take_events()
            segment, next_at = count - done, self._schedule.next_at()
            if next_at is not None:
                segment = min(segment, next_at - self.horizon_samples - self._schedule.now)
            if self._look_ahead:
                segment = min(segment, self._look_ahead)  # later blocks may not be computed yet
            self._add_voices(out[done : done + segment])
            self._schedule.now += segment
            done += segment
        return out

    def take_events(self) -> None:
        """Run the actions that are due, and with look-ahead later ones, up to where a note could steal a voice.

        Which voice it steals depends on what is heard until then.
        """
        near = self._schedule.now + self.horizon_samples
        earliest = max(self._schedule.now, self._known - self.horizon_samples)
        self._schedule.receive(earliest)
        self._known, far = max(self._known, near), near + self._look_ahead
        while (at := self._schedule.next_at()) is not None and (
            at <= near or at < self._known or (at <= far and not self._allocator.full(at))
        ):
            self._schedule.run_next()
            self._schedule.receive(earliest)  # an action may submit one that follows immediately
        self._known = max(self._known, far if at is None else min(at, far))

    def _add_voices(self, out: Float) -> None:
        """Mix the voices' next samples into `out`, computing missing blocks."""
        n = len(out)
        due = [(voice, n - max(0, voice.params.at - self._schedule.now)) for voice in self._allocator.voices]
        # With look-ahead a block is begun one block early, so that another thread can finish it in the meantime.
        early = self._renderer.block_samples if self._look_ahead else 0
        while any(voice.lacks(wanted + early) for voice, wanted in due if wanted > 0):
            self._renderer.render(self._next_batch(self._schedule.now + n))
        gains: dict[int, Float | float] = {}
        for voice, wanted in due:
            if wanted > 0:
                channel = voice.params.channel
                if channel not in gains:
                    gains[channel] = self._gain_over(self._allocator.channels[channel].gain, n)
                samples, gain = voice.take(wanted), gains[channel]
                start = n - wanted
                out[start : start + len(samples)] += samples * (
                    gain if isinstance(gain, float) else gain[start : start + len(samples)]
                )
        self._allocator.drop_finished()
        out *= np.float32(VOICE_GAIN) * self._gain_over(self.gain, n)

    def _next_batch(self, by: int) -> list[Voice]:
        """Voices that share the next evaluation, if all must have samples until `by`."""
        if self._look_ahead:
            return batch_offline(self._allocator.voices, self._known, self._renderer.block_samples)
        return batch_for_read(self._allocator.voices, by, self._batch_ahead)

    def _gain_over(self, gain: Trajectory, samples: int) -> Float | float:
        gain.forget_before(self._schedule.now)
        if gain.rests_at(self._schedule.now):
            return float(gain.target)
        return gain.at(np.arange(self._schedule.now, self._schedule.now + samples, dtype=np.float64)).astype(np.float32)
