"""The server's metrics, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from cmaudio.serve.stream import Stream

_FIRST_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)
_VOICES = (1, 2, 4, 8, 12, 16, 32)


class Metrics:
    """Counters of one server.

    Args:
        streams: returns their number.
        load: returns the share of the time that they take.
    """

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, streams: Callable[[], float], load: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        Gauge("cmaudio_streams", "Streams being made", registry=registry).set_function(streams)
        Gauge("cmaudio_load", "Share of the time that they take", registry=registry).set_function(load)
        answers = "Answers by route and status"
        self._requests = Counter("cmaudio_requests", answers, ["route", "status"], registry=registry)
        self._sound = Counter("cmaudio_sound_seconds", "Sound made", ["model"], registry=registry)
        self._late = Counter("cmaudio_late", "Times a listener ran out of sound", ["model"], registry=registry)
        first = "From the arrival of a stream to its first sound"
        self._first = Histogram("cmaudio_first_sound_seconds", first, buckets=_FIRST_SECONDS, registry=registry)
        self._voices = Histogram("cmaudio_voices", "Voices of an evaluation", buckets=_VOICES, registry=registry)
        self._busy = Counter("cmaudio_busy_seconds", "Time of threads that make sound", ["model"], registry=registry)

    def answered(self, route: str, status: int) -> None:
        """Count a response."""
        self._requests.labels(route, str(status)).inc()

    def evaluated(self, model: str, voices: int, seconds: float) -> None:
        """Count an evaluation."""
        self._voices.observe(voices)
        self._busy.labels(model).inc(seconds)

    def ended(self, stream: Stream) -> None:
        """Count a stream that has ended."""
        self._sound.labels(stream.model_name).inc(stream.made_seconds)
        self._late.labels(stream.model_name).inc(stream.late)
        if stream.first_seconds is not None:
            self._first.observe(stream.first_seconds)

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)
