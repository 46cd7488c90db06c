"""The Wyoming protocol of voice assistants, over TCP on the loopback interface, since it has no authentication.

A text comes whole (synthesize), or in chunks while it is written (synthesize-start, -chunk, -stop).
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import suppress
from typing import Any

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped

import cmaudio
from cmaudio.errors import CmaudioError
from cmaudio.serve.encoding import PcmEncoder
from cmaudio.serve.failure import Failure
from cmaudio.serve.outlet import Outlet
from cmaudio.serve.service import Service
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.serve.voices import ChosenVoice
from cmaudio.serve.written import WrittenText

_MOST_BYTES = 2**18
_PROJECT = Attribution(name="cmaudio", url="")


class WyomingConnection:
    """One client; `run` returns when it disconnects or sends an invalid event."""

    def __init__(self, service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._service, self._reader, self._writer = service, reader, writer
        self._text: WrittenText | None = None
        self._sending: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Handle events in order."""
        try:
            while (event := await _read_event(self._reader)) is not None:
                try:
                    await self._answer(event)
                except (Failure, CmaudioError, KeyError, TypeError, AttributeError) as error:
                    await self._write(Error(str(error), getattr(error, "code", "invalid_event")))
        except OSError:
            pass
        finally:
            self._end_text()
            if self._sending is not None:
                self._sending.cancel()
            self._writer.close()

    async def _answer(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self._write(_info(self._service))
        elif SynthesizeStart.is_type(event.type):
            await self._finish()
            self._text = WrittenText(self._service.settings.most_letters)
            voice = self._voice(SynthesizeStart.from_event(event).voice)
            self._sending = asyncio.create_task(self._speak(voice, Reading(self._text, voice.timbre), streamed=True))
        elif SynthesizeChunk.is_type(event.type) and self._text is not None:
            self._text.write(SynthesizeChunk.from_event(event).text)
        elif SynthesizeStop.is_type(event.type):
            await self._finish()
        elif Synthesize.is_type(event.type) and self._text is None:  # sent beside chunks, for servers without them
            request = Synthesize.from_event(event)
            voice = self._voice(request.voice)
            await self._speak(
                voice, Reading(self._checked(request.text), voice.timbre, ssml=request.text_format == "ssml")
            )

    def _voice(self, asked: Any) -> ChosenVoice:
        """The voice of a name, which is that of a model, or the first in a language."""
        models, speaking = self._service.models, self._service.models.speaking
        if not speaking:
            raise Failure(400, "no voice is served", "voice_not_found")
        name = speaking[0].model.manifest.name
        if asked is not None and asked.name is not None:
            return models.voice(asked.name, asked.speaker)
        for loaded in speaking if asked is not None and asked.language is not None else ():
            speech = loaded.model.manifest.speech
            if speech is not None and speech.language.startswith(str(asked.language).lower()[:2]):
                name = loaded.model.manifest.name
                break
        return models.voice(name, None)

    def _checked(self, text: str) -> str:
        if len(text) > self._service.settings.most_letters:
            raise Failure(400, f"a text has {self._service.settings.most_letters} characters at most", "too_long")
        return text

    async def _speak(self, voice: ChosenVoice, reading: Reading, streamed: bool = False) -> None:
        service, rate = self._service, voice.loaded.model.manifest.sample_rate
        outlet = Outlet(PcmEncoder())
        stream = SpeechStream(voice.loaded, reading, outlet, service.batcher.wake, service.settings.lead_seconds)
        try:
            with service.limits.stream("wyoming", time.monotonic()):
                await service.start(stream, outlet, stream.begin)
                await self._write(AudioStart(rate=rate, width=2, channels=1))
                while data := await outlet.take():
                    async with asyncio.timeout(service.settings.stall_seconds):
                        await self._write(AudioChunk(rate=rate, width=2, channels=1, audio=data))
                await self._write(AudioStop())
        except (Failure, CmaudioError) as error:
            await self._write(Error(str(error), getattr(error, "code", "invalid_text")))
        finally:
            service.drop(stream)
        if streamed:
            await self._write(SynthesizeStopped())

    async def _finish(self) -> None:
        """End the text that is being written, and wait until its audio has been sent."""
        self._end_text()
        if self._sending is not None:
            sending, self._sending = self._sending, None
            await sending

    def _end_text(self) -> None:
        if self._text is not None:
            self._text.end()
            self._text = None

    async def _write(self, event: Eventable) -> None:
        await async_write_event(event.event(), self._writer)


async def serve_wyoming(service: Service, bound: socket.socket) -> asyncio.Server:
    """Serve on a listening socket while the event loop runs."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await WyomingConnection(service, reader, writer).run()

    return await asyncio.start_server(connected, sock=bound)


async def _read_event(reader: asyncio.StreamReader) -> Event | None:
    """The next event; None at the end, and for an invalid or too large one."""
    with suppress(ValueError, TypeError, KeyError, AttributeError, asyncio.IncompleteReadError):
        head = json.loads(await reader.readline())
        data, sizes = dict(head.get("data") or {}), [int(head.get(n) or 0) for n in ("data_length", "payload_length")]
        if all(0 <= size <= _MOST_BYTES for size in sizes):
            more, payload = [await reader.readexactly(size) for size in sizes]
            return Event(str(head["type"]), data | (json.loads(more) if more else {}), payload)
    return None


def _info(service: Service) -> Info:
    """The text-to-speech models, each a voice with its timbres as speakers."""
    voices = []
    for loaded in service.models.speaking:
        manifest = loaded.model.manifest
        assert manifest.speech is not None
        languages = [manifest.speech.language]
        voices.append(
            TtsVoice(manifest.name, _PROJECT, True, f"{manifest.name} of cmaudio", cmaudio.__version__, languages)
        )
    about = "One-step consistency synthesis"
    program = TtsProgram("cmaudio", _PROJECT, True, about, cmaudio.__version__, voices, True)
    return Info(tts=[program])
