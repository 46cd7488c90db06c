"""OSC time tags: bundles, arrival times, and the queue of messages that lie ahead."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from fixtures.osc import Client, WallClockPlayer, bundle, read_up_to_now
from fixtures.waiting import wait_for
from pythonosc.osc_bundle_builder import IMMEDIATELY

from cmaudio.errors import CmaudioError
from cmaudio.osc.schedule import MAX_MESSAGES, Schedule
from cmaudio.synth import Synth


def test_bundles_are_executed_at_their_time_tag(synth: Synth, client: Client) -> None:
    player = cast("WallClockPlayer", synth.player)
    struck: list[int] = []
    synth.recorder.subscribe(lambda at, event: struck.append(at - synth.engine.latency_samples))
    now_unix, now = time.time(), time.perf_counter()
    client.raw(bundle(now_unix + 0.3, ("/cmaudio/note", [60, 100]), ("/cmaudio/control/gain", -3.0)))
    client.settle()
    assert synth.controls["gain"] == 0, "not before its time"
    wait_for(lambda: synth.controls["gain"] == -3)
    read_up_to_now(synth)
    assert struck == [pytest.approx(player.place(now + 0.3), abs=0.01 * 16_000)]
    client.raw(bundle(now_unix - 5, ("/cmaudio/control/gain", -4.0)))
    client.raw(bundle(IMMEDIATELY, ("/cmaudio/control/vibrato", 0.5)))
    client.settle()
    assert (synth.controls["gain"], synth.controls["vibrato"]) == (-4, 0.5)
    client.raw(bundle(now_unix + 90, ("/cmaudio/control/gain", -5.0)))
    assert "more than 60 s" in client.read_until("/cmaudio/error")[0]


def test_notes_are_placed_at_their_time_of_arrival(synth: Synth, client: Client) -> None:
    """However late the engine reads."""
    player = cast("WallClockPlayer", synth.player)
    struck: list[int] = []
    synth.recorder.subscribe(lambda at, event: struck.append(at - synth.engine.latency_samples))
    synth.engine.allocator.schedule.now = 0
    sent = []
    for key in range(50, 55):
        sent.append(time.perf_counter())
        client.send("/cmaudio/note", key, 100)
        client.settle()
    read_up_to_now(synth)
    arrived = [at / 16_000 + player.began for at in struck]
    # The sample's moment lies between sending and the answer, which a busy machine makes late, never early.
    assert len(arrived) == 5
    assert all(a >= s - 1e-3 for a, s in zip(arrived, sent, strict=True))
    assert len(set(struck)) == 5


def test_panic_drops_messages_with_later_time_tags(synth: Synth, client: Client) -> None:
    client.raw(bundle(time.time() + 0.3, ("/cmaudio/control/gain", -3.0)))
    client.settle()
    client.send("/cmaudio/panic")
    client.raw(bundle(time.time() + 0.4, ("/cmaudio/control/vibrato", 1.0)))
    wait_for(lambda: synth.controls["vibrato"] == 1)
    assert synth.controls["gain"] == 0


def test_messages_of_a_bundle_are_executed_in_order(synth: Synth, client: Client) -> None:
    client.raw(bundle(IMMEDIATELY, *(m for key, timbre in ((60, "second"), (62, "third")) for m in [
        ("/cmaudio/timbre", timbre), ("/cmaudio/control/velocity", float(key)), ("/cmaudio/note/on", key)
    ])))  # fmt: skip
    client.settle()
    read_up_to_now(synth)
    assert {n.pitch: cast("Any", n).velocity for n in synth.engine.allocator.notes.values()} == {60: 60, 62: 62}


def test_a_full_queue_refuses_neither_panic_nor_what_is_due_now(synth: Synth, client: Client) -> None:
    later = time.time() + 50
    for _ in range(-(-MAX_MESSAGES // 1000)):
        client.raw(bundle(later, *[("/cmaudio/control/gain", -3.0)] * 1000))
        client.settle()
    client.raw(bundle(later, ("/cmaudio/control/gain", -4.0)))
    assert "10000 messages with later time tags are already waiting" in client.read_until("/cmaudio/error")[0]
    client.send("/cmaudio/control/vibrato", 0.5)
    client.raw(bundle(time.time() - 1, ("/cmaudio/control/pressure", 0.5)))
    client.send("/cmaudio/note", 60, 100)
    client.settle()
    assert (synth.controls["vibrato"], synth.controls["pressure"]) == (0.5, 0.5)
    read_up_to_now(synth)
    assert list(synth.engine.allocator.channels[0].keys) == [60]
    client.send("/cmaudio/panic")
    client.settle()
    read_up_to_now(synth)
    assert not synth.engine.allocator.channels[0].keys
    client.raw(bundle(time.time() + 0.1, ("/cmaudio/control/gain", -5.0)))  # there is room again
    wait_for(lambda: synth.controls["gain"] == -5)


def test_the_queue_is_bounded_and_keeps_the_order_of_equal_times() -> None:
    queue: Schedule[str] = Schedule(limit=3)
    for due, item in ((2.0, "b"), (1.0, "a"), (2.0, "c")):
        queue.add(0.0, due, item)
    with pytest.raises(CmaudioError, match="3 messages with later time tags"):
        queue.add(0.0, 3.0, "d")
    assert [queue.pop() for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(CmaudioError, match="61 s ahead, more than 60 s"):
        queue.add(0.0, 61.0, "e")
    assert not len(queue)
