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
        Gauge("cmaudio_streams", "Active streams", registry=registry).set_function(streams)
        Gauge("cmaudio_load", "Share of the threads' time that they take", registry=registry).set_function(load)
        responses = "Responses by route and status"
        self._requests = Counter("cmaudio_requests", responses, ["route", "status"], registry=registry)
        self._audio = Counter("cmaudio_audio_seconds", "Synthesised audio", ["model"], registry=registry)
        underruns = "Times a client ran out of audio"
        self._underruns = Counter("cmaudio_underruns", underruns, ["model"], registry=registry)
        first = "From the arrival of a request to its first audio"
        self._first = Histogram("cmaudio_first_audio_seconds", first, buckets=_FIRST_SECONDS, registry=registry)
        batches = "Voices in an evaluation of the networks"
        self._voices = Histogram("cmaudio_batch_voices", batches, buckets=_VOICES, registry=registry)
        busy = "Time that the synthesis threads are busy"
        self._busy = Counter("cmaudio_busy_seconds", busy, ["model"], registry=registry)

    def answered(self, route: str, status: int) -> None:
        """Count a response."""
        self._requests.labels(route, str(status)).inc()

    def evaluated(self, model: str, voices: int, seconds: float) -> None:
        """Count an evaluation."""
        self._voices.observe(voices)
        self._busy.labels(model).inc(seconds)

    def ended(self, stream: Stream) -> None:
        """Count a stream that has ended."""
        self._audio.labels(stream.model_name).inc(stream.made_seconds)
        self._underruns.labels(stream.model_name).inc(stream.underruns)
        if stream.first_seconds is not None:
            self._first.observe(stream.first_seconds)

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)
