"""Start and end of a take: from the first sound above a threshold until silence or the maximum length."""

from __future__ import annotations

from collections import deque

import numpy as np

from cmaudio.signal.dsp import Float

WINDOW_SECONDS = 0.005
BEFORE_SECONDS = 0.1  # pre-roll before the threshold: the start of an attack lies below it
HYSTERESIS_DB = 6.0  # of the end below the threshold
FLOOR_DB = -120.0


def peak_db(samples: Float) -> float:
    """The largest absolute sample in dB of full scale."""
    return max(FLOOR_DB, 20 * float(np.log10(max(1e-6, float(np.abs(samples).max(initial=0.0))))))


class Trigger:
    """Collects a take from blocks of any sizes.

    Args:
        sample_rate: in Hz.
        threshold_db: peak, in dBFS, above which the take starts.
        silence_seconds: how long it must be 6 dB below that for the take to end.
        longest_seconds: maximum length.

    Attributes:
        loudest_db: the highest peak while waiting.
        begun: whether the take has started.
        done: whether it has ended.
        silent: whether silence ended it.
        waited_seconds: of sound before it started.
    """

    def __init__(self, sample_rate: int, threshold_db: float, silence_seconds: float, longest_seconds: float) -> None:
        self._window = max(1, round(WINDOW_SECONDS * sample_rate))
        self._window_seconds = self._window / sample_rate
        self._on_db, self._off_db = threshold_db, threshold_db - HYSTERESIS_DB
        self._silent_windows = max(1, round(silence_seconds / self._window_seconds))
        self._most_windows = max(1, round(longest_seconds / self._window_seconds))
        self._rest: Float | None = None  # samples that do not fill a window yet
        self._before: deque[Float] = deque(maxlen=max(1, round(BEFORE_SECONDS / self._window_seconds)))
        self._taken: list[Float] = []
        self._windows = self._quiet = 0  # since the start; since the last sound
        self.loudest_db = FLOOR_DB
        self.begun = self.done = self.silent = False
        self.waited_seconds = 0.0

    @property
    def seconds(self) -> float:
        """Length of the take so far."""
        return self._windows * self._window_seconds

    def feed(self, samples: Float) -> None:
        """Take in samples (N, C); those after the end are ignored."""
        whole = samples if self._rest is None else np.concatenate([self._rest, samples])
        end = len(whole) // self._window * self._window
        for at in range(0, end, self._window):
            if self.done:
                return
            self._take_in(whole[at : at + self._window])
        self._rest = whole[end:]

    def samples(self) -> Float:
        """The recorded samples, (N, C), including the pre-roll and the silence at the end."""
        return np.concatenate(self._taken)

    def _take_in(self, window: Float) -> None:
        level = peak_db(window)
        if not self.begun:
            self.waited_seconds += self._window_seconds
            if level <= self._on_db:
                self.loudest_db = max(self.loudest_db, level)
                self._before.append(window)
                return
            self.begun = True
            self._taken = list(self._before)
        self._taken.append(window)
        self._windows += 1
        self._quiet = self._quiet + 1 if level < self._off_db else 0
        self.silent = self._quiet >= self._silent_windows
        self.done = self.silent or self._windows >= self._most_windows
