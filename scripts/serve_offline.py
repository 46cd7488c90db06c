"""The cost of batched streams in one process, without HTTP and not paced to real time; for `measure_serve.py`."""

from __future__ import annotations

import random
import threading
import time

from serve_listeners import NOTE_SECONDS, POLYPHONY, TEXTS

from cmaudio.engine.engine import Engine
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.serve.batcher import Batcher
from cmaudio.serve.notes import NoteStream
from cmaudio.serve.speech import Reading, SpeechStream
from cmaudio.serve.stream import Stream

NOTES = 20
_UNPACED_SECONDS = 1e6  # the lead of streams that are made as fast as possible


class NullSink:
    """A sink that discards the audio."""

    full = False

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: Exception | None = None

    def write(self, samples: object) -> None: ...

    def finish(self) -> None:
        self.done.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self.done.set()


def offline_cost(model: str, count: int) -> tuple[float, float]:
    """Seconds of audio of this many streams, and the processor seconds that they took."""
    loaded = LoadedModel(model)
    Engine(loaded).warm_up()
    batcher = Batcher()
    sinks = [NullSink() for _ in range(count)]
    streams = [make_stream(loaded, sink, batcher, seed) for seed, sink in enumerate(sinks)]
    before = time.process_time()
    for stream in streams:
        batcher.add(stream)
    for sink in sinks:
        sink.done.wait()
        if sink.error is not None:
            raise sink.error
    used = time.process_time() - before
    batcher.close()
    return sum(stream.made_seconds for stream in streams), used


def make_stream(loaded: LoadedModel, sink: NullSink, batcher: Batcher, seed: int) -> Stream:
    """A stream of about ten seconds: three sentences, or two notes per second."""
    if loaded.model.manifest.speech is not None:
        reading = Reading(" ".join(TEXTS), seed=seed)
        speech = SpeechStream(loaded, reading, sink, batcher.wake, _UNPACED_SECONDS)
        speech.begin()
        return speech
    notes = NoteStream(loaded, sink, POLYPHONY, seed, _UNPACED_SECONDS)
    chance = random.Random(seed)
    length = round(NOTE_SECONDS * notes.engine.sample_rate)
    for number in range(NOTES):
        note = notes.engine.note_on(chance.randrange(48, 72), at=number * length)
        note.off(at=(number + 1) * length)
    notes.end()
    return notes
