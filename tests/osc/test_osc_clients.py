"""Where an OSC server listens, to whom it sends what, and two instruments that are linked."""

from __future__ import annotations

import math
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures.osc import Client, make_synth
from fixtures.waiting import wait_for

from cmaudio.errors import CmaudioError
from cmaudio.osc import OscSender, OscServer
from cmaudio.osc.subscribers import MAX_SUBSCRIBERS
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


def test_addresses_on_which_a_server_can_listen(synth: Synth, server: OscServer) -> None:
    assert server.address[0] == "127.0.0.1"
    with pytest.raises(CmaudioError, match="another program may be using"):
        synth.serve_osc(server.address[1])
    with pytest.raises(CmaudioError, match="unknown host"):
        synth.serve_osc(0, "no such host.invalid")
    with pytest.raises(CmaudioError, match="port must be"):
        synth.serve_osc(70_000)
    with pytest.raises(CmaudioError, match="port must be"):
        synth.serve_osc(0, send_to=("127.0.0.1", 0))


def test_a_server_open_to_the_network_warns_and_refuses_remote_subscribers(tiny: TinyModel, tmp_path: Path) -> None:
    notices: list[str] = []
    with make_synth(tiny.model, notices) as synth:
        server = synth.serve_osc(0, "0.0.0.0", files=tmp_path)
        assert "open to the network" in notices[0]
        with pytest.raises(CmaudioError, match="remote subscribers"):
            server._subscribers.add(("192.0.2.1", 7000), 7000)
        server._subscribers.add(("127.0.0.1", 7000), 7000)
        server._subscribers.remove(("127.0.0.1", 7000), None)
        assert not len(server._subscribers)


def test_a_subscriber_receives_the_changes_that_others_make(synth: Synth, server: OscServer, client: Client) -> None:
    listener = Client(server)
    with listener.socket:
        client.send("/cmaudio/subscribe", listener.port)
        assert listener.read_until("/cmaudio/seed/lock") == [0]
        client.send("/cmaudio/control/brightness", 3.0)
        client.settle()
        synth.controls.set("pressure", 0.5)
        seen = []
        while (message := listener.read())[0] != "/cmaudio/control/pressure":
            seen.append(message[0])
        assert message[1] == [0.5]
        assert "/cmaudio/control/brightness" not in seen, "not what it has set itself"
        synth.controls.set("brightness", 3.0)
        synth.controls.set_timbre("third")
        assert listener.read_until("/cmaudio/timbre") == ["third", 1.0]
        synth.controls.set("brightness", 1.0)
        assert listener.read_until("/cmaudio/control/brightness") == [1.0]
        client.send("/cmaudio/unsubscribe", listener.port)
        client.settle()
        assert not len(server._subscribers)
        listener.rest()
        synth.controls.set("brightness", 2.0)
        assert listener.rest() == []
        client.send("/cmaudio/subscribe", server.address[1])
        assert "the server's own" in client.read_until("/cmaudio/error")[0]


def test_state_and_notes_are_sent(synth: Synth, server: OscServer) -> None:
    listener = Client(server)
    listeners = len(synth.controls._listeners)
    with listener.socket:
        sender = OscSender(synth, "127.0.0.1", listener.port, rate=50)
        listener.read_until("/cmaudio/state/seconds")
        synth.press(60, 101, channel=2, at=2400)  # the engine tells of it before it is heard
        synth.lift(60, 2, at=6000)
        synth.recorder.read(2000)
        listener.read_until("/cmaudio/state/seconds")
        for _ in range(10):
            assert not listener.read()[0].startswith("/cmaudio/event"), "not before it is heard"
        synth.recorder.read(2000)
        assert listener.read_until("/cmaudio/event/note_on") == [60, 101, 2]
        synth.recorder.read(4000)
        assert listener.read_until("/cmaudio/event/note_off") == [60, 2]
        listener.read_until("/cmaudio/state/seconds")
        synth.press(62, 127)
        peak = np.abs(synth.recorder.read(4000)).max()
        expected = 20 * math.log10(peak)
        levels: list[float] = []
        while not levels or levels[-1] != pytest.approx(expected, abs=0.01):
            levels += listener.read_until("/cmaudio/state/level_db")
            assert len(levels) < 20
        assert listener.read_until("/cmaudio/state/underruns") == [3]
        sender.close()
        assert len(synth.controls._listeners) == listeners
        assert not synth.recorder._listeners


def wait_for_value(synth: Synth, name: str, value: float) -> None:
    wait_for(lambda: synth.controls[name] == value)


def test_two_linked_instruments_do_not_echo_each_other(tiny: TinyModel) -> None:
    with make_synth(tiny.model) as one, make_synth(tiny.model) as other:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        first = one.serve_osc(0, send_to=("127.0.0.1", port))
        second = other.serve_osc(port, send_to=first.address)
        wait_for(lambda: first.log.received > len(one.controls.definitions) + 2)
        moves: list[tuple[str, object]] = []
        one.controls.subscribe(lambda name, value, source: moves.append((name, value)))
        steps = (0.25, 0.75, 0.5)
        for step in steps:
            other.controls.set("pressure", step)
            one.controls.set("brightness", 4 * step)
            wait_for_value(one, "pressure", step)
            wait_for_value(other, "brightness", 4 * step)
        for marker in (0.25, 0.5):  # sent after any echo
            other.controls.set("vibrato", marker)
            wait_for_value(one, "vibrato", marker)
        for name, factor in (("brightness", 4), ("pressure", 1)):
            assert [value for moved, value in moves if moved == name] == [factor * step for step in steps], "no echo"
        assert first.log.errors == second.log.errors == 0


def test_the_oldest_of_too_many_subscribers_is_removed(server: OscServer, client: Client) -> None:
    for port in range(20_000, 20_000 + MAX_SUBSCRIBERS + 1):
        server._subscribers.add(("127.0.0.1", 5), port)
    assert len(server._subscribers) == MAX_SUBSCRIBERS
    assert ("127.0.0.1", 20_000) not in [target for _, target in server._subscribers._senders]


def test_closing_the_instrument_closes_the_server(tiny: TinyModel) -> None:
    with make_synth(tiny.model) as synth:
        server = synth.serve_osc(0, send_to=("127.0.0.1", 9))
        port = server.address[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", port))
    server.close()
