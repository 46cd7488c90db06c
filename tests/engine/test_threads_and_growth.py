"""Events from several threads, and memory over many notes."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
from fixtures.engine import (
    read_until_idle,
)

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model


def test_events_from_four_threads_while_another_reads(model: Model) -> None:
    engine, stop = Engine(model, channels=1, polyphony=4), threading.Event()
    errors: list[Exception] = []

    def send(channel: int) -> None:
        rng = np.random.default_rng(channel)
        try:
            for _ in range(15):
                note = engine.note_on(float(rng.uniform(40, 90)), channel=channel)
                note.bend(float(rng.uniform(-2, 2)))
                note.morph("violin", 0.1)
                engine.sustain(bool(rng.random() < 0.5), channel)
                note.off()
                engine.state()
                stop.wait(0.01)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=send, args=(channel,)) for channel in range(4)]
    for thread in threads:
        thread.start()
    found = np.concatenate([engine.read(512) for _ in range(60)])
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert np.isfinite(found).all()
    assert found.any()
    engine.panic()
    engine.read(512)
    assert engine.idle


def test_nothing_grows_over_a_hundred_notes(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=2)
    voices: list[weakref.ref[object]] = []
    for index in range(100):
        note = engine.note_on(40 + index % 50, at=index * 400)
        note.bend(1, at=index * 400 + 100)
        note.off(at=index * 400 + 300)
    for _ in range(100):
        engine.read(400)
        voices += [weakref.ref(voice) for voice in engine.allocator.voices]
        assert len(engine.allocator.voices) <= 18  # those within the horizon and those that fade
    assert len(engine._spare) < 64
    engine.all_notes_off()
    read_until_idle(engine, seconds=8)
    assert not engine.allocator.notes
    assert not engine.allocator.voices
    assert not engine.allocator.schedule
    del note
    gc.collect()
    assert not any(voice() for voice in voices)


def test_nothing_grows_while_the_pedal_stays_down(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=1)
    engine.sustain(True)
    for _ in range(20):
        engine.note_on(60).off()
        engine.read(512)
    assert len(engine.allocator.channels[0].held) < 5
