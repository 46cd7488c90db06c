"""The streams of a server: admitted and started for a request, made by the batcher, and ended with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cmaudio.errors import CmaudioError
from cmaudio.serve.batcher import Batcher
from cmaudio.serve.capacity import Capacity
from cmaudio.serve.encoding import encoder_of
from cmaudio.serve.failure import Failure
from cmaudio.serve.limits import Limits
from cmaudio.serve.measuring import measure
from cmaudio.serve.metrics import Metrics
from cmaudio.serve.outlet import Outlet
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.serve.stream import LEAD_SECONDS, Stream
from cmaudio.serve.voices import ChosenVoice, ServedModels


@dataclass(frozen=True)
class ServiceSettings:
    """The settings of a server.

    Attributes:
        models: names or files.
        workers: number of synthesis threads.
        lead_seconds: how far ahead of a client audio is made.
        most_letters: maximum length of a text, in characters.
        most_seconds: maximum length of a text's audio.
        streams_per_client: maximum number of concurrent streams.
        requests_per_minute: maximum per client.
        stall_seconds: after which a client that reads nothing is disconnected.
    """

    models: Sequence[str] = ("english",)
    workers: int = 1
    lead_seconds: float = LEAD_SECONDS
    most_letters: int = 4096
    most_seconds: float = 1800.0
    streams_per_client: int = 32
    requests_per_minute: int = 600
    stall_seconds: float = 60.0


class Service:
    """Everything behind the routes. Raises CmaudioError for models that cannot be served.

    Attributes:
        draining: whether new streams are refused.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.models = ServedModels(settings.models)
        costs = {name: measure(loaded, settings.workers) for name, loaded in self.models.by_name.items()}
        self.capacity = Capacity(settings.workers, costs)
        self.limits = Limits(settings.streams_per_client, settings.requests_per_minute)
        self.metrics = Metrics(lambda: len(self.batcher.streams), lambda: self.capacity.load(self.batcher.streams))
        self.batcher = Batcher(settings.workers, self._evaluated, self._ended)
        self.draining = False
        self._starting: list[Stream] = []  # admitted, and not yet with the batcher

    async def speak(self, voice: ChosenVoice, reading: Reading, format: str) -> tuple[SpeechStream, Outlet, bytes]:
        """Start speaking; returns with the first audio.

        Raises:
            Failure: a text that cannot be spoken, or no capacity for it.
        """
        rate, settings = voice.loaded.model.manifest.sample_rate, self.settings
        try:
            outlet = Outlet(encoder_of(format, rate, 1))
            stream = SpeechStream(voice.loaded, reading, outlet, self.batcher.wake, settings.lead_seconds)
            await self.start(stream, outlet, stream.begin)
            first = await self.first(stream, outlet)
        except CmaudioError as error:
            raise Failure(400, str(error), "invalid_request", "input") from error
        if not first and stream.made_seconds == 0:
            raise _nothing_said(stream)
        return stream, outlet, first

    async def start(self, stream: Stream, outlet: Outlet, begin: Callable[[], object]) -> None:
        """Admit a stream, start what it plays on a separate thread, and pass it to the batcher.

        Raises:
            Failure: there is no capacity for it, or the server is draining.
        """
        if self.draining:
            raise Failure(503, "the server is about to end; ask another, or again later", "draining", retry_seconds=5)
        others = [*self._starting, *self.batcher.streams]
        self.capacity.admit(others, stream.model_name, stream.voices, time.monotonic())
        stream.most_seconds = self.settings.most_seconds
        outlet.on_room = lambda: self.batcher.wake(stream)
        self._starting.append(stream)
        try:
            await asyncio.to_thread(begin)
        except BaseException:
            stream.cancel()
            raise
        finally:
            self._starting.remove(stream)
        self.batcher.add(stream)

    async def first(self, stream: Stream, outlet: Outlet) -> bytes:
        """The first bytes of a stream, which is dropped if there are none."""
        try:
            return await outlet.take()
        except BaseException:
            self.drop(stream)
            raise

    @property
    def status(self) -> Literal["ready", "draining", "failed"]:
        """Whether it accepts new streams. "failed" is final: the process must be replaced."""
        if self.batcher.failed:
            return "failed"
        return "draining" if self.draining else "ready"

    @property
    def active(self) -> int:
        """The number of streams that are still being made or sent."""
        return self.limits.streams

    def drop(self, stream: Stream) -> None:
        """Drop a stream that is no longer wanted; it may have ended."""
        stream.cancel()
        self.batcher.wake(stream)

    def close(self) -> None:
        """End all streams."""
        self.batcher.close()

    def _evaluated(self, model: str, voices: int, seconds: float) -> None:
        self.capacity.observe(model, voices, seconds)
        self.metrics.evaluated(model, voices, seconds)

    def _ended(self, stream: Stream) -> None:
        self.capacity.ended(stream.age_seconds)
        self.metrics.ended(stream)


def _nothing_said(stream: SpeechStream) -> Failure:
    unspoken = "; ".join(stream.speech.unspoken) if stream.speech else ""
    why = f" ({unspoken})" if unspoken else ""
    return Failure(400, f"input: it contains nothing that this voice can say{why}", "nothing_to_say", "input")
