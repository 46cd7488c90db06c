"""The motion of a texture as it plays: pieces of a measured course, in an order of their own, for ever.

At every frame the course goes on, or leaves for another place at which the last frames were much alike: so events keep
their attack and decay, what comes after them is open, and nothing repeats (Schödl et al.: "Video Textures", 2000,
SIGGRAPH, section 3.1; Lall and Sharma: "A Nearest Neighbor Bootstrap for Resampling Hydrologic Time Series", 1996,
Water Resources Research 32, 679). It leaves only for places that were heard less often, so that all are heard alike;
otherwise calm, which is always like calm, would hold it for long. The control `density` makes the calm between events
shorter or longer.

A voice whose timbre moves goes over to the motion of the timbre that is nearest, within a quarter of a second.

Shapes: K frames of a block, T frames of a course, R directions, M mel bands.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.motion import Motion
from cmaudio.signal.dsp import Float

_STREAM = 3  # of random numbers, beside those of the voice's blocks, of its take and of its events
_PIECE_SECONDS = 0.6  # on average; at 0.3 a few seconds are less like the recordings
_ALIKE, _COMPARED = 8, 4  # places to choose from; frames before them that are compared
_ROUGHLY_ALIKE = 0.25  # of all places
_APART, _LATE = 16, 30  # frames from where it is, and before the end of a recording
_CHANGES_SECONDS = 0.25  # from the motion of one timbre to that of another
_CALM_OCTAVES, _BUSY_OCTAVES = 4.0, 2.0  # by which density changes how fast calm and events pass, from 0 to 1

Array = NDArray[np.float64]


class MotionTrain:
    """The motion of one voice, drawn from its seed: within one of the takes, whose point is `point` (P,).

    Args:
        motion: of its timbre.
        seed: of the voice.
        frame_rate: in Hz.
    """

    def __init__(self, motion: Motion, seed: int, frame_rate: float) -> None:
        self._rng = np.random.default_rng([seed, _STREAM])
        ends = np.array([take.ends[-1] for take in motion.takes])
        number = int(np.searchsorted(ends, self._rng.integers(ends[-1]), side="right"))  # longer ones more often
        take, start = motion.takes[number], motion.start(number)
        self.point = np.array(take.point)
        self.kept = np.array(motion.kept, np.float32)
        self._offset = np.array(take.offset_db)
        self._directions = np.array(motion.directions_db)
        self._course = motion.places()[start : take.ends[-1]].astype(np.float64)
        reach = self._course * np.sqrt(np.square(self._directions).mean(1))  # in dB, as directions differ in size
        self._calm = np.sqrt(np.square(reach).sum(1))
        self._calm = self._calm <= np.median(self._calm)
        edges = np.array([0, *(end - start for end in take.ends)])
        self._last_of = np.zeros(len(reach), bool)
        self._last_of[edges[1:] - 1] = True
        self._late = np.zeros(len(reach), bool)  # would soon have to leave again
        for begin, end in pairwise(edges.tolist()):
            self._late[end - max(1, min(_LATE, (end - begin) // 3)) : end] = True
        self._past = np.concatenate([np.roll(reach, back, 0) for back in range(_COMPARED)], 1)
        self._heard = np.zeros(len(reach), np.int64)  # how often each place was
        self._stays = 1 - 1 / (_PIECE_SECONDS * frame_rate)
        self._place = self._begin()
        self._between = 0.0  # frames that have passed there
        self._last = -1

    def at(self, frames: NDArray[np.int64], density: Array, humanity: Array) -> Array:
        """(K, M) dB beside what the networks play, at frames (K,) counted from the onset of the voice.

        `density` (K,) 0..1, 0.5 as recorded; of the motion so much is heard as `humanity` (K,) says, at 0 the median of
        the recordings. Blocks are asked for in their order; before the onset, and of frames that were asked for
        already, it is 0.
        """
        out = np.zeros((len(frames), len(self._offset)))
        for row, frame, asked, share in zip(out, frames.tolist(), density.tolist(), humanity.tolist(), strict=True):
            if frame > self._last:
                self._last = frame
                row += self._offset + share * (self._course[self._place] @ self._directions)
                self._go_on(asked)
        return out

    def _go_on(self, density: float) -> None:
        """To the next frame: through calm faster or slower than through events, and not past the start of one."""
        calm = self._calm[self._place]
        self._between += 2 ** ((_CALM_OCTAVES if calm else _BUSY_OCTAVES) * (density - 0.5))
        while self._between >= 1:
            self._between -= 1
            self._heard[self._place] += 1
            if self._last_of[self._place] or self._rng.random() > self._stays:
                self._place = self._elsewhere()
            self._place += 1
            if calm and not self._calm[self._place]:
                self._between = 0.0

    def _elsewhere(self) -> int:
        """A place well before a recording's end, after frames like those before this one and heard less often.

        Where there is none, this place. At the end of a recording, the choice is from all that are roughly alike: what
        fades out is most like what fades out, and would have to leave again at once.
        """
        away = np.square(self._past - self._past[self._place]).sum(1)
        away[self._late] = np.inf
        away[max(0, self._place - _APART) : self._place + _APART + 1] = np.inf
        ends = self._last_of[self._place]
        count = min(max(_ALIKE, round(_ROUGHLY_ALIKE * len(away))) if ends else _ALIKE, len(away) - 1)
        alike = np.argpartition(away, count)[:count]
        alike = alike[np.isfinite(away[alike])]
        heard = self._heard[alike]
        chosen = alike[heard == heard.min()] if ends and len(alike) else alike[heard < self._heard[self._place]]
        if len(chosen):
            return int(self._rng.choice(chosen))
        return self._begin() if ends else self._place

    def _begin(self) -> int:
        return int(self._rng.choice(np.flatnonzero(~self._late)))


class MotionPath:
    """The motion of one voice, whatever timbres it passes.

    Args:
        motion: at its onset; None where the timbre has none.
        seed: of the voice.
        frame_rate: in Hz.
    """

    def __init__(self, motion: Motion | None, seed: int, frame_rate: float) -> None:
        self._motion, self._seed, self._frame_rate = motion, seed, frame_rate
        self._parts: list[tuple[MotionTrain | None, float]] = [(self._new(motion), 1.0)]  # with their shares

    def _new(self, motion: Motion | None) -> MotionTrain | None:
        return None if motion is None else MotionTrain(motion, self._seed, self._frame_rate)

    def follow(self, motion: Motion | None) -> None:
        """Go over to this one, from the next frame on."""
        if motion is not self._motion:
            self._motion = motion
            self._parts.append((self._new(motion), 0.0))

    def at(self, frames: NDArray[np.int64], density: Array, humanity: Array) -> Array | None:
        """(K, M) dB, see `MotionTrain.at`; None where nothing moves."""
        shares = self._go_over(len(frames))
        parts = [train for train, _ in self._parts]
        self._parts = [(train, share) for train, share in zip(parts, shares[-1].tolist(), strict=True) if share > 0]
        moved = [
            share[:, None] * train.at(frames, density, humanity)
            for train, share in zip(parts, shares.T, strict=True)
            if train is not None
        ]
        return np.sum(moved, 0) if moved else None

    def _go_over(self, frames: int) -> Array:
        """(K, parts) shares, 1 in total."""
        last = self._parts[-1][1]
        rising = np.minimum(last + np.arange(1, frames + 1) / (_CHANGES_SECONDS * self._frame_rate), 1)
        before = np.array([share for _, share in self._parts[:-1]]) / max(1 - last, 1e-9)
        return np.concatenate([(1 - rising)[:, None] * before, rising[:, None]], 1)

    @property
    def point(self) -> Array | None:
        """(P,) the take, None where nothing moves."""
        train = self._parts[-1][0]
        return None if train is None else train.point

    @property
    def kept(self) -> Float | None:
        """(M,) how much of what is drawn is heard; None: all of it."""
        known = [train.kept for train, _ in self._parts if train is not None]
        if not known:
            return None
        whole = np.ones_like(known[0])
        return np.sum([share * (whole if train is None else train.kept) for train, share in self._parts], 0)
