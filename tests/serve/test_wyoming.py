"""The Wyoming protocol, with its own client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
import pytest
from fixtures.serving import Running, running
from numpy.typing import NDArray

pytest.importorskip("wyoming")

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

import cmaudio
from cmaudio.serve.service import ServiceSettings

TEXT = "Here is the first sentence. And here is another one."
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(ServiceSettings(most_letters=500), wyoming=True) as made:
        yield made


def answers(server: Running, sent: Sequence[Eventable], last: type[Eventable]) -> list[Event]:
    """What comes for these events, up to the first of a kind."""

    async def talk() -> list[Event]:
        found: list[Event] = []
        async with asyncio.timeout(WAIT_SECONDS), AsyncTcpClient("127.0.0.1", server.wyoming_port) as client:
            for each in sent:
                await client.write_event(each.event())
            while not found or not last.is_type(found[-1].type):
                event = await client.read_event()
                assert event is not None, "the connection was closed"
                found.append(event)
        return found

    return asyncio.run(talk())


def sound_of(events: Sequence[Event]) -> NDArray[np.float64]:
    chunks = [AudioChunk.from_event(event).audio for event in events if AudioChunk.is_type(event.type)]
    return np.frombuffer(b"".join(chunks), "<i2") / 32767


def test_voices_are_described(server: Running) -> None:
    program = Info.from_event(answers(server, [Describe()], Info)[0]).tts[0]
    assert [(voice.name, voice.languages) for voice in program.voices] == [("english", ["en-us"])]
    assert program.supports_synthesize_streaming


@pytest.mark.parametrize("voice", [None, SynthesizeVoice(name="english"), SynthesizeVoice(language="en")])
def test_a_text_is_spoken(server: Running, voice: SynthesizeVoice | None) -> None:
    events = answers(server, [Synthesize(TEXT, voice)], AudioStop)
    assert AudioStart.from_event(events[0]) == AudioStart(rate=24000, width=2, channels=1)
    sound, whole = sound_of(events), cmaudio.speak(TEXT, model="english").audio
    count = min(len(sound), len(whole))
    assert np.allclose(sound[:count], whole[:count], atol=1 / 32000)


def test_a_text_that_comes_in_chunks_is_spoken_once(server: Running) -> None:
    chunks = [SynthesizeChunk(f"{word} ") for word in TEXT.split(" ")]
    events = answers(server, [SynthesizeStart(), *chunks, Synthesize(TEXT), SynthesizeStop()], SynthesizeStopped)
    sound, whole = sound_of(events), cmaudio.speak(TEXT, model="english").audio
    count = min(len(sound), len(whole))
    assert np.allclose(sound[:count], whole[:count], atol=1 / 32000)
    assert [AudioStop.is_type(event.type) for event in events[-2:]] == [True, False]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Synthesize("a" * 501), "500 characters"),
        (Synthesize("Hello.", SynthesizeVoice(name="klingon")), "unknown model"),
        (Synthesize("<speak><audio/></speak>", text_format="ssml"), "audio"),
    ],
)
def test_refusals_are_events(server: Running, asked: Synthesize, says: str) -> None:
    assert says in Error.from_event(answers(server, [asked], Error)[-1]).text


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"type": "synthesize", "data_length": 1e12}\n', b"a" * 200_000, b'{"type": 1'],
)
def test_garbage_closes_its_connection_and_no_other(server: Running, garbage: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.wyoming_port), WAIT_SECONDS) as connection:
        connection.sendall(garbage)
        with suppress(OSError):  # it may be closed already
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100) == b""
    assert answers(server, [Describe()], Info)
