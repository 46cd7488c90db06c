"""The clock and Ableton Link over OSC."""

from __future__ import annotations

import sys

import pytest
from fixtures.link import FakeSession, session
from fixtures.osc import Client

from cmaudio.synth import Synth

__all__ = ["session"]


def test_the_clock_is_set_started_and_stopped(synth: Synth, client: Client) -> None:
    client.send("/cmaudio/tempo", 93.5)
    client.send("/cmaudio/clock/stop")
    client.settle()
    assert synth.clock.tempo == 93.5
    assert not synth.clock.running
    client.send("/cmaudio/clock/start")
    client.settle()
    assert bool(synth.clock.running)


def test_several_timbres_are_scattered_until_one_is_again(
    synth: Synth, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(synth.clock, "scatter_among", asked.append)
    client.send("/cmaudio/scatter/among", "first", "second")
    client.settle()
    client.send("/cmaudio/scatter/alone")
    client.settle()
    assert asked == [["first", "second"], None]


def test_an_unknown_timbre_to_scatter_is_answered(client: Client) -> None:
    client.send("/cmaudio/scatter/among", "first", "frst")
    assert "frst" in client.read_until("/cmaudio/error")[0]


def test_link_is_joined_reported_and_left(synth: Synth, client: Client, session: FakeSession) -> None:
    session.tempo, session.peers = 101.0, 3
    client.send("/cmaudio/subscribe")
    client.send("/cmaudio/link", 1)
    assert client.read_until("/cmaudio/state/tempo") == [101]
    assert client.read_until("/cmaudio/state/link_peers") == [3]
    client.send("/cmaudio/link", 0)
    while client.read_until("/cmaudio/state/link_peers") != [-1]:
        pass
    assert session.closed
    assert synth.link is None


def test_a_missing_package_is_answered_with_the_remedy(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "link", None)
    client.send("/cmaudio/link", True)
    assert "pip install 'cmaudio[link]'" in client.read_until("/cmaudio/error")[0]
