"""The session of a web socket connection: a text or notes, from its first message to the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from cmaudio.errors import CmaudioError
from cmaudio.serve.encoding import encoder_of
from cmaudio.serve.failure import Failure
from cmaudio.serve.messages import End, Message, Start, Steer, Stop, Text
from cmaudio.serve.notes import NoteStream
from cmaudio.serve.outlet import Outlet
from cmaudio.serve.service import Service
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.serve.stream import Stream
from cmaudio.serve.written import WrittenText

_TEXT_LEAD_SECONDS, _NOTES_LEAD_SECONDS = 0.5, 0.08
_TEXTS = 16  # a connection may send this many texts of maximum length


class Session(Protocol):
    """A stream, its outlet, and the messages that steer it."""

    @property
    def stream(self) -> Stream: ...
    @property
    def outlet(self) -> Outlet: ...

    def begin(self) -> None:
        """Called on a separate thread."""

    def act(self, message: Message) -> None:
        """Execute a message. Raises CmaudioError for an invalid one."""

    def news(self) -> Iterator[dict[str, Any]]:
        """Messages about the audio that is sent next."""

    def close(self) -> None:
        """The connection has ended."""


class TextSession:
    """A text that is spoken while it is written."""

    def __init__(self, service: Service, start: Start) -> None:
        voice = service.models.voice(start.model, start.voice)
        self._text = WrittenText(_TEXTS * service.settings.most_letters)
        style = {"rate": start.rate, "pitch": start.pitch, "pitch_range": start.pitch_range, "energy": start.energy}
        reading = Reading(self._text, voice.timbre, start.seed, voice.steps, style=style)
        lead = _TEXT_LEAD_SECONDS if start.lead_ms is None else start.lead_ms / 1000
        self.outlet = Outlet(encoder_of(start.format, voice.loaded.model.manifest.sample_rate, 1))
        self.stream = SpeechStream(voice.loaded, reading, self.outlet, service.batcher.wake, lead)
        self._next_mark = 0

    def begin(self) -> None:
        self.stream.begin()

    def act(self, message: Message) -> None:
        speech = self.stream.speech
        assert speech is not None, "the stream has begun"
        match message:
            case Text():
                self._text.write(message.text, message.flush)
            case End():
                self._text.end()
            case Steer():
                speech.steer(**message.model_dump(exclude={"type"}))
            case Stop():
                speech.stop(message.after)
                self._text.end()
            case _:
                raise CmaudioError(f"this model reads text: a message of type {message.type!r} is for instruments")

    def news(self) -> Iterator[dict[str, Any]]:
        """Marks within the audio that has been made."""
        speech, engine = self.stream.speech, self.stream.engine
        delay = engine.latency_samples / engine.sample_rate
        while (
            speech
            and self._next_mark < len(speech.marks)
            and speech.marks[self._next_mark].seconds <= engine.now / engine.sample_rate
        ):
            mark = speech.marks[self._next_mark]
            self._next_mark += 1
            message = {"type": "mark", "kind": mark.kind, "text": mark.text, "seconds": round(mark.seconds + delay, 4)}
            yield message | ({"start": mark.start, "end": mark.end} if mark.kind == "word" else {})

    def close(self) -> None:
        self._text.end()


class NoteSession:
    """Notes that sound as they are sent."""

    def __init__(self, service: Service, start: Start) -> None:
        loaded = service.models.by_name[start.model]
        lead = _NOTES_LEAD_SECONDS if start.lead_ms is None else start.lead_ms / 1000
        self.outlet = Outlet(encoder_of(start.format, loaded.model.manifest.sample_rate, 2))
        self.stream = NoteStream(loaded, self.outlet, start.polyphony, start.seed, lead)

    def begin(self) -> None:
        """Nothing to read."""

    def act(self, message: Message) -> None:
        self.stream.act(message)

    def news(self) -> Iterator[dict[str, Any]]:
        yield from ()

    def close(self) -> None:
        """Nothing is waiting for it."""


def session_of(service: Service, start: Start) -> Session:
    """The session for a first message. Raises Failure for a model that is not served or not suitable."""
    loaded = service.models.by_name.get(start.model)
    kind = NoteSession if loaded is not None and loaded.model.manifest.speech is None else TextSession
    try:
        return kind(service, start)
    except CmaudioError as error:
        raise Failure(400, str(error), "invalid_request") from error
