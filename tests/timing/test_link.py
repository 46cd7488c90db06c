"""Keeping a clock and a session of Ableton Link together, without a network: the test is the peer."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT, RATE, ClockRig
from fixtures.link import FakeSession
from fixtures.waiting import wait_for

from cmaudio.errors import CmaudioError
from cmaudio.timing.heard_time import HeardTime
from cmaudio.timing.link import Link
from cmaudio.timing.link_session import NetworkSession

STEP = 800  # samples between two looks at the session, 50 ms


class Speaker:
    """Samples of the engine's output are heard at once."""

    def heard_at(self, sample: float) -> float:
        return sample / RATE

    def heard_by(self, seconds: float) -> float:
        return seconds * RATE


class LinkRig(ClockRig):
    """A clock that follows a session whenever the test moves on; the thread is ended."""

    def __init__(self, tiny: TinyModel, session: FakeSession, **settings: Any) -> None:
        super().__init__(tiny.model)
        self.session, self.told = session, list[str]()
        heard = HeardTime(Speaker(), 0)
        self.link = Link(self.clock, session, heard, on_notice=self.told.append, now=lambda: self.seconds, **settings)
        self.link._ending.set()
        self.link._thread.join()

    def go(self, seconds: float) -> list[float]:
        """Let time pass; returns by how many beats the clock was ahead of the session at each look."""
        until, ahead = self.engine.now + round(seconds * RATE), list[float]()
        while self.engine.now < until:
            self.read_to(min(until, self.engine.now + STEP))
            self.link.follow()
            ahead.append(self.ahead)
        return ahead

    @property
    def seconds(self) -> float:
        return self.engine.now / RATE

    @property
    def ahead(self) -> float:
        return math.remainder(self.clock.beat - self.session.beat_at(self.seconds), 4)


def test_a_session_without_peers_gets_the_clocks_beat_and_tempo(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession())
    rig.go(1)
    rig.clock.tempo = 90
    assert np.abs(rig.go(4)[20:]).max() < 1e-3
    rig.clock.locate(9.5)
    assert rig.session.asked == [("beat", 0), ("tempo", 90), ("beat", 9.5)]
    assert np.abs(rig.go(1)).max() < 1e-3
    assert rig.told == []


@pytest.mark.parametrize("beat", [2.25, -7.5, 1001.9, 3.99])
def test_the_bar_and_tempo_of_peers_are_taken_over(tiny: TinyModel, beat: float) -> None:
    rig = LinkRig(tiny, FakeSession(140, beat, peers=1))
    pattern = rig.clock.play(list(range(40, 80)), beat=1 / 4, gate=0.1, loop=True)
    rig.go(3)
    assert np.abs(rig.go(4)).max() < 1e-3
    assert rig.clock.tempo == pytest.approx(140, rel=1e-4)
    assert pattern.playing
    assert rig.clock.dropped == 0
    assert rig.told == []


@pytest.mark.parametrize(("tempo", "jump"), [(200, 0.0), (60, 0.0), (120, 0.3), (120, 1.7), (350, -1.9)])
def test_a_session_that_jumps_is_followed_within_two_bars_with_one_notice(
    tiny: TinyModel, tempo: float, jump: float
) -> None:
    rig = LinkRig(tiny, FakeSession(120, peers=1))
    rig.clock.play([60, 62, 64, 65], beat=1 / 2, gate=0.1, loop=True)
    rig.go(2.5)  # jumps of the first two seconds are expected
    rig.session.change_tempo(tempo, rig.seconds)
    rig.session.beat += jump
    rig.go(8 * 60 / tempo)
    assert np.abs(rig.go(3)).max() < 1e-3
    assert len(rig.told) == (abs(jump) > 0.5), rig.told
    assert all("moved by" in text for text in rig.told)
    assert rig.onsets[-1][0] > rig.engine.now - 2 * BEAT, "the sound goes on"
    assert rig.no_note_hangs() or len(rig.engine.allocator.notes) <= 1


def test_peers_that_come_and_go_are_told_once(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession())
    for peers in (1, 0, 2, 0, 1):
        rig.session.peers = peers
        rig.go(0.2)
    assert rig.told == ["Ableton Link has 1 peer, 120.0 beats per minute"]
    assert rig.link.peers == 1
    assert np.abs(rig.go(1)).max() < 1e-3


def test_tempo_beyond_the_clocks_range_is_told_and_left_again(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession(peers=1))
    rig.session.change_tempo(600, 0)
    rig.go(1)
    assert rig.clock.tempo == 400
    assert rig.told == ["Ableton Link plays at 600, beyond the clock's 10 to 400: they diverge for now"]
    rig.session.change_tempo(100, rig.seconds)
    rig.go(3)
    assert np.abs(rig.go(1)).max() < 1e-3
    rig.clock.tempo = 15
    assert rig.told[-1] == "Ableton Link has tempos of 20 to 999, so 15 is played at the nearest"
    rig.go(1)
    assert rig.clock.tempo == 20


def test_a_glide_of_the_tempo_reaches_its_end_and_the_session(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession(peers=1))
    rig.go(0.5)
    rig.clock.glide("tempo", 180, beats=4)
    rig.go(4)
    assert rig.clock.tempo == 180
    assert rig.session.tempo == pytest.approx(180, rel=1e-5)
    with pytest.raises(CmaudioError, match="Ableton Link changes tempos at once"):
        rig.clock.set_tempo(100, at=40)


def test_start_and_stop_go_both_ways(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession(peers=1))
    rig.clock.play([60, 61, 62, 63], gate=0.5, loop=True)
    rig.go(1)
    rig.clock.stop()
    assert rig.session.asked[-1] == ("playing", False)
    rig.go(0.4)
    rig.session.play(True, rig.seconds + 0.3)
    before = len(rig.onsets)
    rig.go(3)
    bar = -(-(rig.session.since - 1e-6) // 2) * 2  # bars of two seconds
    first = rig.onsets[before]
    assert first[1] == 60, "from the beginning"
    assert first[0] == pytest.approx(bar * RATE, abs=2)
    assert np.abs(rig.go(1)).max() < 1e-3
    rig.session.play(False, rig.seconds)
    rig.go(0.2)
    assert not rig.clock.running
    assert rig.no_note_hangs()
    rig.clock.start()
    assert rig.session.asked[-1] == ("playing", True)


def test_start_and_stop_stay_alone_if_asked(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession(peers=1), start_stop=False)
    rig.session.play(True, 0)
    rig.go(0.2)
    rig.session.play(False, rig.seconds)
    rig.go(0.2)
    assert rig.clock.running
    rig.clock.stop()
    assert rig.session.asked == []


def test_an_offset_delays_the_beat(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession(peers=1))
    rig.link.offset_ms = 100
    rig.go(2)
    assert rig.ahead == pytest.approx(-0.2, abs=1e-3)
    with pytest.raises(CmaudioError, match="offset_ms"):
        rig.link.offset_ms = 5000


def test_a_midi_clock_is_not_followed_meanwhile(tiny: TinyModel) -> None:
    rig = LinkRig(tiny, FakeSession(peers=1))
    for kind in ("stop", "pulse", "start"):
        rig.clock.midi(kind, 0.1)
    assert rig.clock.running
    assert rig.notices == ["the MIDI clock is ignored, since Ableton Link leads"]


@pytest.fixture
def live(tiny: TinyModel) -> Iterator[tuple[ClockRig, FakeSession, Link, list[str]]]:
    rig, session, told = ClockRig(tiny.model), FakeSession(peers=1), list[str]()
    link = Link(rig.clock, session, HeardTime(Speaker(), 0), on_notice=told.append)
    yield rig, session, link, told
    link.close()


def test_an_error_of_the_session_is_told_once_and_the_clock_goes_on(live: Any) -> None:
    rig, session, link, told = live
    session.state = lambda: 1 / 0
    wait_for(lambda: bool(told))
    rig.read_to(4 * STEP)
    assert rig.clock.beat > 0
    assert told == ["Ableton Link is not followed for now: ZeroDivisionError: division by zero"]
    link.close()
    link.close()
    assert session.closed
    assert rig.clock.led_by is None


def test_a_missing_package_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(CmaudioError, match=r"pip install 'cmaudio\[link\]'"):
        NetworkSession(120, 4, True)
    monkeypatch.setitem(sys.modules, "link", types.ModuleType("link"))
    with pytest.raises(CmaudioError, match="something else is imported as `link`"):
        NetworkSession(120, 4, True)


def test_the_packages_session_keeps_tempo_beat_and_playing() -> None:
    pytest.importorskip("link")
    session = NetworkSession(5, 4, True)
    session._link.enabled = False  # whoever plays on this network is left in peace
    try:
        assert session.state().tempo == pytest.approx(20)
        session.set_tempo(150, 10)
        session.set_beat(2, 20)
        session.set_playing(True, 21)
        state = session.state()
        assert state.tempo == pytest.approx(150, rel=1e-5)
        assert state.beat_at(24) == pytest.approx(12, abs=1e-3)
        assert state.playing
        assert state.since == pytest.approx(21, abs=1e-3)
    finally:
        session.close()
