"""The motion of a texture while it plays: segments of a measured course, endlessly, in a random order.

That of one-shots, which end, is in `cmaudio.synthesis.one_shot_motion`.

At every frame, playback continues along the course or jumps to another frame that was preceded by similar ones. Events
thus keep their attack and decay, what follows them varies, and nothing repeats (Schödl et al.: "Video Textures", 2000,
SIGGRAPH, section 3.1; Lall and Sharma: "A Nearest Neighbor Bootstrap for Resampling Hydrologic Time Series", 1996,
Water Resources Research 32, 679). Jumps go only to frames played less often, so that all are played about equally;
otherwise playback would linger in calm passages, which all resemble each other. The control `density` shortens or
lengthens the calm between events.

A voice that morphs crossfades to the motion of the nearest timbre within a quarter of a second.

Shapes: K frames of a block, T frames of a course, R directions, M mel bands.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.motion import Motion
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.courses import STREAM, MotionControls, slow_part
from cmaudio.synthesis.one_shot_motion import OneShotMotion

_PIECE_SECONDS = 0.6  # mean; at 0.3, excerpts of a few seconds are less like the recordings
_ALIKE, _COMPARED = 8, 4  # candidates of a jump; preceding frames compared
_ROUGHLY_ALIKE = 0.25  # of all frames
_APART, _LATE = 16, 30  # frames that a jump keeps from its start, and from the end of a recording
_CROSSFADE_SECONDS = 0.25  # from the motion of one timbre to that of another
_CALM_OCTAVES, _BUSY_OCTAVES = 4.0, 2.0  # range of playback speed over density 0 to 1, in calm and in events

Array = NDArray[np.float64]


class EndlessMotion:
    """The motion of one voice within one of the takes, which is at `point` (P,); everything random is seeded.

    Args:
        motion: of its timbre.
        seed: of the voice.
        frame_rate: in Hz.
    """

    def __init__(self, motion: Motion, seed: int, frame_rate: float) -> None:
        self._rng = np.random.default_rng([seed, STREAM])
        ends = np.array([take.ends[-1] for take in motion.takes])
        number = int(np.searchsorted(ends, self._rng.integers(ends[-1]), side="right"))  # longer ones more often
        take, start = motion.takes[number], motion.start(number)
        self.point = np.array(take.point)
        self.residual_gain = np.array(motion.kept, np.float32)
        self._offset = np.array(take.offset_db)
        self._directions = np.array(motion.directions_db)
        self._course = motion.places()[start : take.ends[-1]].astype(np.float64)
        reach = self._course * np.sqrt(np.square(self._directions).mean(1))  # in dB, since directions differ in size
        distance = np.sqrt(np.square(reach).sum(1))  # from the median
        self._calm = distance <= np.median(distance)
        edges = np.array([0, *(end - start for end in take.ends)])
        self._last_of = np.zeros(len(reach), bool)
        self._last_of[edges[1:] - 1] = True
        self._late = np.zeros(len(reach), bool)  # too near the end of a recording to jump to
        for begin, end in pairwise(edges.tolist()):
            self._late[end - max(1, min(_LATE, (end - begin) // 3)) : end] = True
        self._past = np.concatenate([np.roll(reach, back, 0) for back in range(_COMPARED)], 1)
        self._times_played = np.zeros(len(reach), np.int64)  # of each frame
        self._stays = 1 - 1 / (_PIECE_SECONDS * frame_rate)
        self._place = self._begin()
        self._between = 0.0  # fractional position, in frames
        self._last = -1

    def at(self, frames: NDArray[np.int64], controls: MotionControls) -> Array:
        """(K, M) dB to add to what the networks play, at frames (K,) counted from the onset of the voice.

        Call it for blocks in order; it is 0 before the onset and for frames already returned.
        """
        out = np.zeros((len(frames), len(self._offset)))
        new = frames > self._last
        if new.any():
            asked = controls.at(new)
            places = []
            speeds = np.ones(len(asked.density)) if asked.speed is None else asked.speed
            for density, speed in zip(asked.density.tolist(), speeds.tolist(), strict=True):
                places.append(self._place)
                self._advance(density, speed)
            self._last = int(frames[-1])
            course = asked.with_flicker(self._course[places], lambda: self._slow[places])
            out[new] = self._offset + asked.humanity[:, None] * (course @ self._directions)
        return out

    @cached_property
    def _slow(self) -> Array:
        return slow_part(self._course)

    def _advance(self, density: float, speed: float) -> None:
        """Advance one output frame; `density` changes the speed more in calm than in events. Never skips an onset."""
        calm = self._calm[self._place]
        self._between += speed * 2 ** ((_CALM_OCTAVES if calm else _BUSY_OCTAVES) * (density - 0.5))
        while self._between >= 1:
            self._between -= 1
            self._times_played[self._place] += 1
            if self._last_of[self._place] or self._rng.random() > self._stays:
                self._place = self._jump()
            self._place += 1
            if calm and not self._calm[self._place]:
                self._between = 0.0

    def _jump(self) -> int:
        """A frame to jump to: preceded by similar frames, played less often, not near a recording's end; else this one.

        At the end of a recording, the candidates are all roughly similar frames: a decay is most similar to other
        decays, and would have to jump again at once.
        """
        distance = np.square(self._past - self._past[self._place]).sum(1)
        distance[self._late] = np.inf
        distance[max(0, self._place - _APART) : self._place + _APART + 1] = np.inf
        ends = self._last_of[self._place]
        count = min(max(_ALIKE, round(_ROUGHLY_ALIKE * len(distance))) if ends else _ALIKE, len(distance) - 1)
        alike = np.argpartition(distance, count)[:count]
        alike = alike[np.isfinite(distance[alike])]
        times = self._times_played[alike]
        chosen = alike[times == times.min()] if ends and len(alike) else alike[times < self._times_played[self._place]]
        if len(chosen):
            return int(self._rng.choice(chosen))
        return self._begin() if ends else self._place

    def _begin(self) -> int:
        """Any frame that is not near a recording's end."""
        return int(self._rng.choice(np.flatnonzero(~self._late)))


_Moving = EndlessMotion | OneShotMotion


class MotionPath:
    """The motion of one voice across the timbres that it morphs through.

    Args:
        motion: at its onset; None if the timbre has none.
        seed: of the voice.
        frame_rate: in Hz.
        endless: whether the voice is; otherwise a motion is that of a one-shot.
    """

    def __init__(self, motion: Motion | None, seed: int, frame_rate: float, *, endless: bool = True) -> None:
        self._motion, self._seed, self._frame_rate, self._endless = motion, seed, frame_rate, endless
        self._parts: list[tuple[_Moving | None, float]] = [(self._new(motion), 1.0)]  # and their weights

    def _new(self, motion: Motion | None) -> _Moving | None:
        if motion is None:
            return None
        return (
            EndlessMotion(motion, self._seed, self._frame_rate) if self._endless else OneShotMotion(motion, self._seed)
        )

    def follow(self, motion: Motion | None) -> None:
        """Crossfade to another motion, from the next frame on."""
        if motion is not self._motion:
            self._motion = motion
            self._parts.append((self._new(motion), 0.0))

    def at(self, frames: NDArray[np.int64], controls: MotionControls) -> Array | None:
        """(K, M) dB to add at frames (K,), as each motion on the path does; None without motion."""
        if len(self._parts) == 1:
            moving = self._parts[0][0]
            return None if moving is None else moving.at(frames, controls)
        shares = self._crossfade(len(frames))
        parts = [moving for moving, _ in self._parts]
        self._parts = [(moving, share) for moving, share in zip(parts, shares[-1].tolist(), strict=True) if share > 0]
        moved = [
            share[:, None] * moving.at(frames, controls)
            for moving, share in zip(parts, shares.T, strict=True)
            if moving is not None
        ]
        return np.sum(moved, 0) if moved else None

    def _crossfade(self, frames: int) -> Array:
        """(K, parts) weights of the crossfade, which sum to 1."""
        last = self._parts[-1][1]
        rising = np.minimum(last + np.arange(1, frames + 1) / (_CROSSFADE_SECONDS * self._frame_rate), 1)
        before = np.array([share for _, share in self._parts[:-1]]) / max(1 - last, 1e-9)
        return np.concatenate([(1 - rising)[:, None] * before, rising[:, None]], 1)

    @property
    def ends_at(self) -> int | None:
        """The frame, counted from the onset, at which its courses end; None if it is endless, and without motion."""
        moving = self._parts[-1][0]
        return moving.frames if isinstance(moving, OneShotMotion) else None

    @property
    def point(self) -> Array | None:
        """(P,) the take; None without motion."""
        moving = self._parts[-1][0]
        return None if moving is None else moving.point

    @property
    def residual_gain(self) -> Float | None:
        """(M,) gain of the residual that the networks sample; None: 1."""
        if len(self._parts) == 1:
            moving = self._parts[0][0]
            return None if moving is None else moving.residual_gain
        known = [moving.residual_gain for moving, _ in self._parts if moving is not None]
        if not known:
            return None
        ones = np.ones_like(known[0])
        return np.sum([share * (ones if moving is None else moving.residual_gain) for moving, share in self._parts], 0)
