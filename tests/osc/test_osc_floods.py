"""Floods of OSC messages: what passes, what is dropped, and what is reported."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
from fixtures.osc import Client, make_synth, read_up_to_now
from fixtures.waiting import wait_for

from cmaudio.osc import OscServer
from cmaudio.osc.flow import Flow
from cmaudio.osc.packets import encode
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


def test_a_flood_of_messages_does_not_stop_the_sound(synth: Synth, server: OscServer, client: Client) -> None:
    client.send("/cmaudio/note", 60, 100)
    client.settle()
    datagrams = [encode("/cmaudio/control/bend", i / 10_000) for i in range(10_000)]
    began = time.perf_counter()
    for i, datagram in enumerate(datagrams):
        client.raw(datagram)
        if i % 100 == 99:
            assert np.isfinite(synth.recorder.read(160)).all()
    spent = time.perf_counter() - began
    arrived = threading.Event()
    synth.controls.subscribe(lambda name, value, _source: arrived.set() if (name, value) == ("bend", 1.0) else None)
    # The system may drop datagrams of such a flood; one that arrives after it is the latest, and is never left out.
    for _ in range(100):
        client.send("/cmaudio/control/bend", 1.0)
        if arrived.wait(0.1):
            break
    assert synth.controls["bend"] == 1.0
    allowed = 4 + 60 * (spent + 1)
    assert server.log.dropped > 0
    assert server.log.received - server.log.dropped < allowed + 200
    read_up_to_now(synth)
    assert np.abs(synth.recorder.read(1600)).max() > 0


def test_note_ons_beyond_the_limit_are_dropped_and_note_offs_are_not(
    synth: Synth, server: OscServer, client: Client
) -> None:
    for key in range(100):
        client.send("/cmaudio/note", key, 100)
    client.settle()
    read_up_to_now(synth)
    assert 16 <= len(synth.engine.allocator.channels[0].keys) < 60
    assert server.log.dropped >= 40
    for key in range(100):
        client.send("/cmaudio/note", key, 0)
    client.settle()
    read_up_to_now(synth)
    assert not synth.engine.allocator.channels[0].keys


def test_errors_of_a_flood_are_counted_and_reported_at_a_limited_rate(tiny: TinyModel) -> None:
    notices: list[str] = []
    with make_synth(tiny.model, notices) as synth:
        server = synth.serve_osc(0)
        client = Client(server)
        with client.socket:
            for _ in range(2000):
                client.send("/cmaudio/nothing", 1)
            wait_for(lambda: server.log.errors > 200)
            wait_for(lambda: notices)
            assert 0 < len(client.rest()) < 100
            assert "messages with errors, the last: unknown address '/cmaudio/nothing'" in notices[0]
            assert len(notices) == 1


def test_less_passes_under_high_load() -> None:
    for load, expected in ((0.5, 64), (0.8, 19)):
        passed: list[int] = []
        flow: Flow[int] = Flow(passed.append, lambda _: None, 8)
        flow.set_load(load)
        for i in range(10_000):
            flow.offer_latest("bend", i, i / 10_000)
            flow.release(i / 10_000)
        assert abs(len(passed) - expected) <= 3
        flow.release(2.0)
        assert passed[-1] == 9_999
        assert passed == sorted(passed)
