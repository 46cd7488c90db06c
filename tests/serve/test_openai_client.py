"""The real OpenAI client against the server: what it sends is understood, what it gets is the voice's sound."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

pytest.importorskip("openai")

import httpx
import openai
from fixtures.serving import Running

import cmaudio

TEXT = "Hello. This is a test, of the server: it speaks two sentences."


@pytest.fixture
def client(english: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{english.url}/v1", api_key="none", max_retries=0)


def of_pcm(data: bytes) -> NDArray[np.float64]:
    return np.frombuffer(data, "<i2") / 32767


def spoken(text: str = TEXT, **how: Any) -> NDArray[np.float32]:
    return np.asarray(cmaudio.speak(text, model="english", **how).audio)


def same_sound(found: NDArray[np.float64], expected: NDArray[np.float32]) -> bool:
    """Both end with some silence, of different lengths."""
    count = min(len(found), len(expected))
    rest = [*found[count:], *expected[count:]]
    return np.allclose(found[:count], expected[:count], atol=1 / 32000) and not np.any(rest)


def test_a_served_text_sounds_as_it_is_spoken(client: openai.OpenAI) -> None:
    made = client.audio.speech.create(model="english", voice="heart", input=TEXT, response_format="pcm", speed=1.25)
    assert same_sound(of_pcm(made.content), spoken(rate=1.25))


@pytest.mark.parametrize("format", ["wav", "ogg", "opus", "mp3"])
def test_formats_hold_the_same_sound(client: openai.OpenAI, format: str) -> None:
    body = {"response_format": format}
    asked: dict[str, Any] = {"model": "english", "voice": "heart", "input": "Hello there."}
    made = client.audio.speech.create(**asked, extra_body=body)
    sound, rate = soundfile.read(io.BytesIO(made.content))
    expected = spoken("Hello there.")
    assert rate == 24000
    assert abs(len(sound) - len(expected)) < 4096
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(np.sqrt(np.mean(expected**2)), rel=0.1)


def test_flac_has_an_unknown_length_and_the_same_samples(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "english", "voice": "heart", "input": "Hello there."}
    flac = bytearray(client.audio.speech.create(**asked, response_format="flac").content)
    pcm = np.frombuffer(client.audio.speech.create(**asked, response_format="pcm").content, "<i2")
    assert flac[:4] == b"fLaC"
    assert flac[21] & 15 == 0
    assert bytes(flac[22:26]) == bytes(4)  # as a player takes it: until it ends
    flac[22:26] = len(pcm).to_bytes(4, "big")  # soundfile wants to know
    found, _ = soundfile.read(io.BytesIO(flac), dtype="int16")
    assert np.abs(found - pcm.astype(int)).max() <= 1


def test_sound_arrives_while_it_is_made(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "pcm"}
    with client.audio.speech.with_streaming_response.create(**asked) as response:
        parts = list(response.iter_bytes())
        notice = response.headers["x-notice"]
    assert len(parts) > 1
    assert same_sound(of_pcm(b"".join(parts)), spoken())
    assert "alloy" in notice


def test_server_sent_events_hold_the_same_sound(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="english", voice="heart", input=TEXT, response_format="pcm", stream_format="sse", instructions="sadly"
    ) as response:
        events = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]
        assert "instructions are not followed" in response.headers["x-notice"]
    assert [event["type"] for event in events[-2:]] == ["speech.audio.delta", "speech.audio.done"]
    assert same_sound(of_pcm(b"".join(base64.b64decode(e["audio"]) for e in events[:-1])), spoken())


def test_text_that_begins_like_ssml_is_ssml(client: openai.OpenAI) -> None:
    text = '<speak>Hello <break time="500ms"/> there.</speak>'
    made = client.audio.speech.create(model="english", voice="heart", input=text, response_format="pcm")
    assert same_sound(of_pcm(made.content), spoken(text, ssml=True))


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["english"]
    assert client.models.retrieve("english").owned_by == "cmaudio"


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"model": "klingon"}, openai.NotFoundError, "unknown model 'klingon'; the nearest are 'english'"),
        ({"voice": "hart"}, openai.BadRequestError, "the nearest are 'heart'"),
        ({"input": ""}, openai.BadRequestError, "input: "),
        ({"input": " \n"}, openai.BadRequestError, "nothing to say"),
        ({"input": "漢字"}, openai.BadRequestError, "nothing that this voice can say"),
        ({"input": "a" * 501}, openai.BadRequestError, "501 characters, and 500 are allowed"),
        ({"input": "<speak><audio/></speak>"}, openai.BadRequestError, "audio"),
        ({"input": "a" * 2**19}, openai.APIStatusError, "send the text in parts"),
        ({"speed": 9}, openai.BadRequestError, "less than or equal to 4 (given: '9')"),
        ({"response_format": "aac"}, openai.BadRequestError, "'mp3', 'opus', 'ogg', 'flac', 'wav' or 'pcm'"),
    ],
)
def test_refusals_name_the_remedy(
    client: openai.OpenAI, changed: dict[str, Any], error: type[Exception], says: str
) -> None:
    asked: dict[str, Any] = {"model": "english", "voice": "heart", "input": "Hello."} | changed
    with pytest.raises(error) as refusal:
        client.audio.speech.create(**asked)
    assert says in str(refusal.value)


def test_what_is_no_json_or_not_there_is_refused_in_the_same_shape(english: Running) -> None:
    answers = [
        httpx.post(f"{english.url}/v1/audio/speech", content=b"\xff{"),
        httpx.post(f"{english.url}/v1/audio/speech", json=[]),
        httpx.get(f"{english.url}/v1/audio/speech"),
        httpx.get(f"{english.url}/nothing"),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 405, 404]
    assert all(set(answer.json()["error"]) == {"message", "type", "param", "code"} for answer in answers)


def test_voices_are_listed(english: Running) -> None:
    found = httpx.get(f"{english.url}/v1/audio/voices").json()["voices"]
    assert found == [{"id": "heart", "model": "english", "language": "en-us", "default": True}]
