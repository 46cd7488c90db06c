"""The times at which events of an engine are heard."""

from __future__ import annotations

from typing import Protocol


class Hearing(Protocol):
    """Maps samples that left an engine to the times at which they are heard, as a `Player` does."""

    def heard_at(self, sample: float) -> float: ...
    def heard_by(self, seconds: float) -> float: ...


class HeardTime:
    """Maps samples of an engine's clock to seconds of `time.perf_counter`, and back.

    Args:
        player: knows when the engine's output is heard.
        latency_samples: by how much the output lags the clock.
    """

    def __init__(self, player: Hearing, latency_samples: int) -> None:
        self._player, self._latency_samples = player, latency_samples

    def seconds_at(self, sample: float) -> float:
        """When an event at a sample is heard."""
        return self._player.heard_at(sample + self._latency_samples)

    def sample_at(self, seconds: float) -> float:
        """The sample of an event that is heard at a time."""
        return self._player.heard_by(seconds) - self._latency_samples
