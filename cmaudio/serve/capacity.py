"""How many streams can be made in time, from what evaluations take on this machine.

An evaluation of n voices takes about a + b n seconds (measured at the start), times a factor that follows what
evaluations take now: other programs, encoders and the interpreter are in it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from cmaudio.serve.choice import MOST_VOICES
from cmaudio.serve.failure import Failure
from cmaudio.serve.stream import Stream

_USED = 0.8  # of the time; the rest is for peaks
_FOLLOWING = 0.02  # weight of the last evaluation
_FACTORS = (0.05, 20.0)  # a server may be started at a busy moment, or become busier
_FIRST_SECONDS = 0.3  # within which a stream that is admitted should give its first sound
_RETRY_SECONDS = (1, 30)


@dataclass(frozen=True)
class Cost:
    """What a model costs on one thread, in seconds: an evaluation, each voice in it, the beginning of a stream, and
    what a block lasts."""

    evaluation: float
    voice: float
    beginning: float
    block: float

    def of(self, voices: int) -> float:
        """Of an evaluation."""
        return self.evaluation + self.voice * voices

    @property
    def share(self) -> float:
        """How much of a thread's time one voice takes where evaluations are full."""
        return self.of(MOST_VOICES) / MOST_VOICES / self.block


class Capacity:
    """Admits streams while they can be made in time.

    Args:
        workers: threads that make them.
        costs: by name of the model.
    """

    def __init__(self, workers: int, costs: dict[str, Cost]) -> None:
        self.workers, self.costs = workers, costs
        self.factor = 1.0
        self._lock = threading.Lock()
        self._stream_seconds = 5.0  # what a stream takes, as a moving average

    def observe(self, model: str, voices: int, seconds: float) -> None:
        """An evaluation of this many voices took so long, reading and encoding included."""
        found = seconds / self.costs[model].of(voices)
        with self._lock:
            moved = self.factor + _FOLLOWING * (min(found, _FACTORS[1]) - self.factor)
            self.factor = max(_FACTORS[0], moved)

    def ended(self, seconds: float) -> None:
        """A stream has ended, so long after it began."""
        self._stream_seconds += 0.1 * (seconds - self._stream_seconds)

    def load(self, streams: Iterable[Stream]) -> float:
        """Which share of the time of all threads these streams take."""
        shares = sum(stream.voices * self.costs[stream.model_name].share for stream in streams)
        return shares * self.factor / self.workers

    def streams(self, model: str) -> int:
        """How many streams of one voice of this model can be made at once."""
        return max(1, math.floor(_USED * self.workers / (self.costs[model].share * self.factor)))

    def admit(self, streams: list[Stream], model: str, voices: int, now: float) -> None:
        """Check that a stream more can be made in time, now of `time.monotonic`.

        Raises Failure with the time after which to ask again.
        """
        cost = self.costs[model]
        silent = sum(stream.first_seconds is None for stream in streams)
        begins_in = (silent + 1) * cost.beginning * self.factor / self.workers
        late = any(s.first_seconds is not None and not s.asleep and s.slack_seconds(now) < 0 for s in streams)
        load = self.load(streams) + voices * cost.share * self.factor / self.workers
        if not streams or not (late or load > _USED or begins_in > _FIRST_SECONDS):
            return
        retry = math.ceil(self._stream_seconds / len(streams))
        raise Failure(
            503,
            f"the server is busy with {len(streams)} streams and could not make another in time; ask again later",
            "overloaded",
            retry_seconds=min(max(retry, _RETRY_SECONDS[0]), _RETRY_SECONDS[1]),
        )
