"""The web socket: text or notes in as they are written and played, sound out as it is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from fixtures.serving import Running, running
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import cmaudio
from cmaudio.serve.service import ServiceSettings

TEXT = "Here is the first sentence. And here is another one, which ends it."
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(ServiceSettings(models=("english", "instrument"), most_letters=500, lead_seconds=1000)) as made:
        yield made


@contextmanager
def opened(server: Running, **start: Any) -> Iterator[ClientConnection]:
    with connect(f"{server.url.replace('http', 'ws')}/v1/audio/stream", open_timeout=WAIT_SECONDS) as socket:
        send(socket, "start", **start)
        yield socket


def send(socket: ClientConnection, kind: str, **content: Any) -> None:
    socket.send(json.dumps({"type": kind, **content}))


def received(socket: ClientConnection) -> dict[str, Any] | bytes:
    data = socket.recv(timeout=WAIT_SECONDS)
    return json.loads(data) if isinstance(data, str) else data


def until(socket: ClientConnection, kind: str) -> tuple[list[dict[str, Any]], NDArray[np.float64]]:
    """All messages up to the first of a kind, and the sound between them."""
    told: list[dict[str, Any]] = []
    sound = b""
    while not told or told[-1]["type"] != kind:
        data = received(socket)
        if isinstance(data, bytes):
            sound += data
        else:
            told.append(data)
    return told, np.frombuffer(sound, "<i2") / 32767


def test_text_that_is_written_piece_by_piece_sounds_as_a_whole(server: Running) -> None:
    with opened(server, model="english", rate=1.5, lead_ms=20_000) as socket:
        for word in TEXT.split(" "):
            send(socket, "text", text=f"{word} ")
        send(socket, "end")
        told, sound = until(socket, "done")
    whole = cmaudio.speak(TEXT, model="english", rate=1.5)
    count = min(len(sound), len(whole.audio))
    assert np.allclose(sound[:count], whole.audio[:count], atol=1 / 32000)
    assert told[0] == {"type": "started", "model": "english", "format": "pcm", "sample_rate": 24000, "channels": 1}
    marks = [(mark["kind"], mark["text"], mark["seconds"]) for mark in told if mark["type"] == "mark"]
    assert marks == [(mark.kind, mark.text, round(mark.seconds, 4)) for mark in whole.marks]


def test_a_flushed_sentence_sounds_before_the_next_is_written(server: Running) -> None:
    with opened(server, model="english") as socket:
        send(socket, "text", text="Here is the first sentence.", flush=True)
        until(socket, "mark")
        while not isinstance(received(socket), bytes):
            pass
        send(socket, "text", text="Another.")
        send(socket, "end")
        told, _ = until(socket, "done")
    assert "another" in [mark["text"].lower().strip(".") for mark in told if mark.get("kind") == "word"]


def test_speech_can_be_steered_and_stopped(server: Running) -> None:
    with opened(server, model="english", lead_ms=100) as socket:
        send(socket, "text", text=TEXT * 5)
        until(socket, "mark")
        send(socket, "steer", rate=2.0, pitch=3.0)
        send(socket, "stop", after="phoneme")
        told, _ = until(socket, "done")
    assert told[-1]["seconds"] < 20


def test_notes_sound_as_they_are_sent(server: Running) -> None:
    with opened(server, model="instrument", polyphony=2) as socket:
        send(socket, "note_on", id=1, pitch=60, velocity=100, timbre="violin")
        send(socket, "note_on", id=2, pitch="E4", timbre={"violin": 0.5, "flute": 0.5})
        send(socket, "bend", id=1, semitones=1.0, seconds=0.1)
        send(socket, "morph", id=2, timbre="flute")
        send(socket, "express", id=2, name="brightness", value=0.5)
        send(socket, "express", name="vibrato", value=0.2)
        send(socket, "sustain", down=False)
        for _ in range(40):
            received(socket)
        send(socket, "note_off", id=1)
        send(socket, "end")
        told, sound = until(socket, "done")
    assert not [message for message in told if message["type"] == "error"]
    assert np.abs(sound).max() > 0.01


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("{", "Invalid JSON"),
        (b"\0\1", "JSON in text frames"),
        ('{"type": "dance"}', "dance"),
        ('{"type": "note_on", "id": 1, "pitch": 1e9}', "pitch"),
        ('{"type": "note_on", "id": 1, "pitch": 60, "timbre": "violn"}', "violin"),
        ('{"type": "note_off", "id": 7}', "there is no note 7"),
        ('{"type": "text", "text": "Hello."}', "this model plays notes"),
        ('{"type": "start", "model": "english"}', "is for voices"),
    ],
)
def test_a_message_that_cannot_be_followed_is_answered_and_the_sound_goes_on(
    server: Running, message: str | bytes, says: str
) -> None:
    with opened(server, model="instrument", polyphony=1) as socket:
        until(socket, "started")
        socket.send(message)
        told, _ = until(socket, "error")
        assert says in told[-1]["error"]["message"]
        send(socket, "end")
        until(socket, "done")


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ({"model": "klingon"}, "unknown model"),
        ({"model": "english", "voice": "hart"}, "heart"),
        ({"model": "english", "rate": 9.0}, "rate must be"),
        ({"model": "english", "lead_ms": 0}, "lead_ms"),
        ({"model": "english", "more": 1}, "more"),
    ],
)
def test_a_beginning_that_is_wrong_ends_the_connection(server: Running, start: dict[str, Any], says: str) -> None:
    with opened(server, **start) as socket:
        told, _ = until(socket, "error")
        assert says in told[-1]["error"]["message"]
        with pytest.raises(ConnectionClosed):
            received(socket)


def test_a_text_without_end_is_limited(server: Running) -> None:
    with opened(server, model="english") as socket:
        send(socket, "text", text="a" * 8001)
        told, _ = until(socket, "error")
        assert "8000 characters at most" in told[-1]["error"]["message"]


def test_a_connection_that_breaks_frees_its_stream(server: Running) -> None:
    with opened(server, model="english") as socket:
        send(socket, "text", text="This never ends, ")
        until(socket, "started")
    with opened(server, model="english") as socket:
        send(socket, "text", text=TEXT)
        until(socket, "mark")
    while server.service.active or server.service.batcher.streams:
        pass
