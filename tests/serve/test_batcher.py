"""Many streams in one process: each sounds as it would alone, and none holds up another."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("fastapi")

from fixtures.waiting import wait_for

import cmaudio
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.errors import CmaudioError
from cmaudio.serve.batcher import Batcher
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.signal.dsp import Float

SHORT, LONG = "Yes, of course.", "This is a sentence of some length, which is said again and again. " * 12
WAIT_SECONDS = 120


class Kept:
    """A sink that keeps everything, and counts how many have finished before it."""

    finished = 0

    def __init__(self) -> None:
        self.blocks: list[Float] = []
        self.done, self.begun = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.full = False
        self.place = 0

    def write(self, samples: Float) -> None:
        self.blocks.append(samples)
        self.begun.set()

    def finish(self) -> None:
        Kept.finished += 1
        self.place = Kept.finished
        self.done.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self.finish()

    @property
    def sound(self) -> Float:
        assert self.done.wait(WAIT_SECONDS)
        return np.concatenate(self.blocks)


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return LoadedModel("english")


@pytest.fixture
def batcher() -> Iterator[Batcher]:
    made = Batcher(workers=2)
    yield made
    made.close()


def begin(batcher: Batcher, loaded: LoadedModel, reading: Reading, lead: float = 1000.0) -> tuple[SpeechStream, Kept]:
    sink = Kept()
    stream = SpeechStream(loaded, reading, sink, batcher.wake, lead)
    stream.begin()
    batcher.add(stream)
    return stream, sink


def test_a_stream_sounds_as_it_would_alone_whatever_its_company(batcher: Batcher, loaded: LoadedModel) -> None:
    texts = [f"{SHORT} Number {i}. {'And more. ' * i}" for i in range(5)]
    readings = [Reading(text, seed=i, steps=1 + i % 2, style={"rate": 1 + i / 4}) for i, text in enumerate(texts)]
    sinks = [begin(batcher, loaded, reading)[1] for reading in readings]
    for reading, sink in zip(readings, sinks, strict=True):
        assert isinstance(reading.text, str)
        rate = (reading.style or {})["rate"]
        alone = cmaudio.speak(reading.text, model="english", seed=reading.seed, steps=reading.steps, rate=rate).audio
        count = min(len(alone), len(sink.sound))
        assert np.array_equal(alone[:count], sink.sound[:count])
        assert not np.any(alone[count:])
        assert not np.any(sink.sound[count:])


def test_a_short_answer_is_not_stuck_behind_long_ones(batcher: Batcher, loaded: LoadedModel) -> None:
    long = [begin(batcher, loaded, Reading(LONG, seed=i)) for i in range(3)]
    assert all(sink.begun.wait(WAIT_SECONDS) for _, sink in long)
    _, short = begin(batcher, loaded, Reading(SHORT))
    assert short.done.wait(WAIT_SECONDS)
    assert not any(sink.done.is_set() for _, sink in long)
    for stream, _ in long:
        stream.cancel()
        batcher.wake(stream)


def test_a_stream_is_made_no_further_ahead_than_its_lead(batcher: Batcher, loaded: LoadedModel) -> None:
    stream, sink = begin(batcher, loaded, Reading(LONG), lead=0.5)
    assert sink.begun.wait(WAIT_SECONDS)
    _, other = begin(batcher, loaded, Reading(SHORT))
    assert other.done.wait(WAIT_SECONDS)
    assert stream.made_seconds < 0.7 + stream.age_seconds
    assert not sink.done.is_set()


def test_blocks_are_joined_once_the_client_has_audio_left(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.serve.stream.time", SimpleNamespace(monotonic=lambda: 7.0))
    sink = Kept()
    stream = SpeechStream(loaded, Reading(SHORT), sink, lambda stream: None, lead_seconds=10.0)
    block = np.arange(stream.block_samples, dtype=np.float32)
    for _ in range(20):
        stream.give(block)
    stream.finish()
    lengths = [len(samples) // len(block) for samples in sink.blocks]
    assert lengths == [1, 1, 1, 5, 5, 5, 2]  # of 43 ms each: 0.2 s or more, after as much has been sent
    assert np.array_equal(sink.sound, np.tile(block, 20))


def test_waiting_for_text_withholds_no_audio(batcher: Batcher, loaded: LoadedModel) -> None:
    going_on = threading.Event()

    def words() -> Iterator[str]:
        yield "Here is the first sentence, and it is complete. "
        assert going_on.wait(WAIT_SECONDS)

    stream, sink = begin(batcher, loaded, Reading(words()))
    wait_for(lambda: stream.made_seconds > 1 and stream.waited, WAIT_SECONDS)
    heard = sum(map(len, sink.blocks)) / stream.engine.sample_rate
    going_on.set()
    assert heard == pytest.approx(stream.made_seconds)
    assert sink.done.wait(WAIT_SECONDS)


def test_a_sink_that_is_full_is_waited_for(batcher: Batcher, loaded: LoadedModel) -> None:
    sink = Kept()
    sink.full = True
    stream = SpeechStream(loaded, Reading(SHORT), sink, batcher.wake)
    stream.begin()
    batcher.add(stream)
    _, other = begin(batcher, loaded, Reading(SHORT))
    assert other.done.wait(WAIT_SECONDS)
    assert sink.blocks == []
    sink.full = False
    batcher.wake(stream)
    assert np.array_equal(sink.sound, other.sound)


def test_a_cancelled_stream_ends_and_its_text_is_read_no_further(loaded: LoadedModel) -> None:
    ended = threading.Event()
    batcher = Batcher(on_end=lambda stream: ended.set())
    stream, sink = begin(batcher, loaded, Reading(LONG))
    assert sink.begun.wait(WAIT_SECONDS)
    stream.cancel()
    batcher.wake(stream)
    assert ended.wait(WAIT_SECONDS)
    batcher.close()
    assert stream.made_seconds < 10
    assert not batcher.streams


def test_text_on_its_way_is_waited_for_without_silence(batcher: Batcher, loaded: LoadedModel) -> None:
    going_on = threading.Event()

    def words() -> Iterator[str]:
        yield "Here is the first sentence, and it is complete. "
        assert going_on.wait(WAIT_SECONDS)
        yield "Here is the second."

    _, sink = begin(batcher, loaded, Reading(words()))
    _, other = begin(batcher, loaded, Reading(SHORT))
    assert other.done.wait(WAIT_SECONDS)
    going_on.set()
    whole = cmaudio.speak("Here is the first sentence, and it is complete. Here is the second.", model="english").audio
    count = min(len(whole), len(sink.sound))
    assert np.array_equal(whole[:count], sink.sound[:count])


def test_an_error_of_the_text_reaches_the_sink_and_nobody_else(batcher: Batcher, loaded: LoadedModel) -> None:
    def words() -> Iterator[str]:
        yield "One. "
        raise ValueError("torn")

    _, other = begin(batcher, loaded, Reading(SHORT))
    _, sink = begin(batcher, loaded, Reading(words()))
    assert sink.done.wait(WAIT_SECONDS)
    assert isinstance(sink.error, CmaudioError)
    assert "torn" in str(sink.error)
    assert len(other.sound)
    assert other.error is None


def test_a_sound_that_lasts_too_long_fails(batcher: Batcher, loaded: LoadedModel) -> None:
    sink = Kept()
    stream = SpeechStream(loaded, Reading(LONG), sink, batcher.wake)
    stream.most_seconds = 0.5
    stream.begin()
    batcher.add(stream)
    assert sink.done.wait(WAIT_SECONDS)
    assert "may last 0.5 s" in str(sink.error)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_noticed(loaded: LoadedModel) -> None:
    def die(model: str, voices: int, seconds: float) -> None:
        raise RuntimeError("it dies")

    batcher = Batcher(on_batch=die)
    try:
        assert not batcher.failed
        begin(batcher, loaded, Reading(SHORT))
        wait_for(lambda: batcher.failed)
    finally:
        batcher.close()


def test_a_sink_that_fails_ends_its_own_stream_only(
    batcher: Batcher, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", lambda *error: None)

    class Gone(Kept):
        def write(self, samples: Float) -> None:
            raise ConnectionError("gone")

        def fail(self, error: Exception) -> None:
            raise ConnectionError("gone as well")

    stream = SpeechStream(loaded, Reading(LONG), Gone(), batcher.wake)
    stream.begin()
    batcher.add(stream)
    wait_for(lambda: stream not in batcher.streams)
    assert len(begin(batcher, loaded, Reading(SHORT))[1].sound)
    assert not batcher.failed
