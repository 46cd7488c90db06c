"""The streams of a server: begun for a request, made by the batcher, and ended with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.serve.batcher import Batcher
from cmaudio.serve.encoding import encoder_of
from cmaudio.serve.failure import Failure
from cmaudio.serve.outlet import Outlet
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.serve.stream import LEAD_SECONDS, Stream
from cmaudio.serve.voices import ChosenVoice, ServedModels


@dataclass(frozen=True)
class ServiceSettings:
    """What a server serves and how.

    Attributes:
        models: names or files.
        workers: threads that make sound.
        lead_seconds: how far ahead of a listener sound is made.
        most_letters: of one text.
        stall_seconds: after which a client that takes nothing is given up.
    """

    models: Sequence[str] = ("english",)
    workers: int = 1
    lead_seconds: float = LEAD_SECONDS
    most_letters: int = 4096
    stall_seconds: float = 60.0


class Service:
    """Everything behind the routes. Raises CmaudioError for models that cannot be served."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.models = ServedModels(settings.models)
        for loaded in self.models.by_name.values():
            Engine(loaded).warm_up()
        self.batcher = Batcher(settings.workers)

    async def speak(self, voice: ChosenVoice, reading: Reading, format: str) -> tuple[SpeechStream, Outlet, bytes]:
        """Begin to speak; returns once the first sound is there.

        Raises:
            Failure: a text that cannot be spoken.
        """
        rate = voice.loaded.model.manifest.sample_rate
        try:
            outlet = Outlet(encoder_of(format, rate, 1))
            stream = SpeechStream(voice.loaded, reading, outlet, self.batcher.wake, self.settings.lead_seconds)
            outlet.on_room = lambda: self.batcher.wake(stream)
            await asyncio.to_thread(stream.begin)
        except CmaudioError as error:
            raise Failure(400, str(error), "invalid_request", "input") from error
        self.batcher.add(stream)
        try:
            first = await outlet.take()
            if not first and stream.made_seconds == 0:
                raise _nothing_said(stream)
        except CmaudioError as error:
            raise Failure(400, str(error), "invalid_request", "input") from error
        except BaseException:
            self.drop(stream)
            raise
        return stream, outlet, first

    def drop(self, stream: Stream) -> None:
        """Nobody wants a stream any longer; it may have ended."""
        stream.cancel()
        self.batcher.wake(stream)

    def close(self) -> None:
        """End all streams."""
        self.batcher.close()


def _nothing_said(stream: SpeechStream) -> Failure:
    unspoken = "; ".join(stream.speech.unspoken) if stream.speech else ""
    why = f" ({unspoken})" if unspoken else ""
    return Failure(400, f"input: it contains nothing that this voice can say{why}", "nothing_to_say", "input")
