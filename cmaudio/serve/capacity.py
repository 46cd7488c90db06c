"""The number of streams that can be made in real time, from the measured cost of evaluations.

An evaluation of n voices takes about a + b n seconds (measured at start-up), times a factor that tracks the current
cost: it includes other programs, encoders and the interpreter.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from cmaudio.serve.choice import MOST_VOICES
from cmaudio.serve.failure import Failure
from cmaudio.serve.stream import Stream

_USED = 0.8  # planned utilisation; the rest is headroom
_FOLLOWING = 0.02  # weight of the last evaluation
_FACTORS = (0.05, 20.0)  # a server may be started at a busy moment, or become busier
_FIRST_SECONDS = 0.3  # within which an admitted stream should give its first audio
_RETRY_SECONDS = (1, 30)


@dataclass(frozen=True)
class Cost:
    """The cost of a model on one thread, in seconds: an evaluation, each voice in it, the start of a stream, and the
    duration of a block."""

    evaluation: float
    voice: float
    beginning: float
    block: float

    def of(self, voices: int) -> float:
        """The cost of an evaluation."""
        return self.evaluation + self.voice * voices

    @property
    def share(self) -> float:
        """The share of a thread's time that one voice takes in full evaluations."""
        return self.of(MOST_VOICES) / MOST_VOICES / self.block


class Capacity:
    """Admits streams while they can be made in real time.

    Args:
        workers: threads that make them.
        costs: by name of the model.
    """

    def __init__(self, workers: int, costs: dict[str, Cost]) -> None:
        self.workers, self.costs = workers, costs
        self.factor = 1.0
        self._lock = threading.Lock()
        self._stream_seconds = 5.0  # duration of a stream, as a moving average

    def observe(self, model: str, voices: int, seconds: float) -> None:
        """Record the duration of an evaluation with this many voices, including reading and encoding."""
        found = seconds / self.costs[model].of(voices)
        with self._lock:
            moved = self.factor + _FOLLOWING * (min(found, _FACTORS[1]) - self.factor)
            self.factor = max(_FACTORS[0], moved)

    def ended(self, seconds: float) -> None:
        """Record the duration of a stream that has ended."""
        self._stream_seconds += 0.1 * (seconds - self._stream_seconds)

    def load(self, streams: Iterable[Stream]) -> float:
        """The share of the time of all threads that these streams take."""
        shares = sum(stream.voices * self.costs[stream.model_name].share for stream in streams)
        return shares * self.factor / self.workers

    def streams(self, model: str) -> int:
        """The number of single-voice streams of this model that can be made at once."""
        return max(1, math.floor(_USED * self.workers / (self.costs[model].share * self.factor)))

    def admit(self, streams: list[Stream], model: str, voices: int, now: float) -> None:
        """Check that one more stream can be made in real time; `now` is a time of `time.monotonic`.

        Raises Failure with the time after which to retry.
        """
        cost = self.costs[model]
        silent = sum(stream.first_seconds is None for stream in streams)
        begins_in = (silent + 1) * cost.beginning * self.factor / self.workers
        behind = any(s.first_seconds is not None and not s.asleep and s.slack_seconds(now) < 0 for s in streams)
        load = self.load(streams) + voices * cost.share * self.factor / self.workers
        if not streams or not (behind or load > _USED or begins_in > _FIRST_SECONDS):
            return
        retry = math.ceil(self._stream_seconds / len(streams))
        raise Failure(
            503,
            f"the server is busy with {len(streams)} streams and could not make another in time; ask again later",
            "overloaded",
            retry_seconds=min(max(retry, _RETRY_SECONDS[0]), _RETRY_SECONDS[1]),
        )
