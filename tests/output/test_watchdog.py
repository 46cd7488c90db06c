"""Devices that vanish, return and are exchanged while the player plays."""

from __future__ import annotations

import pytest
from fixtures.fake_card import FakeCard, FakeStream, Sine
from fixtures.waiting import wait_for

from cmaudio.errors import CmaudioError
from cmaudio.output.player import Player
from cmaudio.output.ring import Ring


@pytest.mark.parametrize("hangs", [False, True])
def test_lost_device_is_reopened_when_it_is_back(hangs: bool) -> None:
    card, source, notices = FakeCard(runs=True), Sine(), list[str]()
    with Player(source, open_stream=card, device="fake", on_notice=notices.append) as player:
        if hangs:
            card.let_go.clear()
        card.plugged = False
        wait_for(lambda: player.state().status == "lost")
        before = source.made_samples
        wait_for(lambda: source.made_samples > before + 24_000)
        card.plugged = True
        card.let_go.set()
        wait_for(lambda: player.state().status == "playing")
        played = player.state().counters.played_samples
        wait_for(lambda: player.state().counters.played_samples > played + 4_800)
    assert "lost Fake card" in notices[0]
    assert notices[-1] == "Fake card, Fake API is back"
    assert card.asked == ["fake", "Fake card, Fake API"]


def test_device_is_exchanged_while_it_plays() -> None:
    first, second, source, notices = FakeCard(runs=True), FakeCard(runs=True), Sine(), list[str]()
    with Player(source, open_stream=first, device="one", on_notice=notices.append) as player:
        wait_for(lambda: player.state().counters.played_samples > 0)
        player.use_device("two", second)
        before = player.state().counters.played_samples
        wait_for(lambda: player.state().counters.played_samples > before + 4_800)
        assert (first.streams[0].closed, second.asked) == (True, ["two"])
        made = source.made_samples
        second.plugged = False
        with pytest.raises(CmaudioError, match="there is no output device"):
            player.use_device("three")
        second.plugged = True
        wait_for(lambda: source.made_samples > made + 4_800)
        assert not second.streams[0].closed
        wait_for(lambda: "playing on Fake card, Fake API" in notices)
    with pytest.raises(CmaudioError, match="closed"):
        player.use_device("one")
    assert second.streams[0].closed


def test_inactive_stream_is_lost_and_close_does_not_wait_for_it() -> None:
    card = FakeCard(runs=True)
    player = Player(Sine(), open_stream=card).start()
    card.plugged = False
    card.let_go.clear()
    card.streams[0].active = False
    wait_for(lambda: player.state().status == "lost")
    player.close()
    assert player.state().status == "closed"
    card.let_go.set()


def test_an_opener_that_fails_in_any_way_is_told_and_asked_again() -> None:
    card, notices, raised = FakeCard(runs=True), list[str](), list[int]()

    def opener(ring: Ring, sample_rate: int, device: str | int | None, period_samples: int, rescan: bool) -> FakeStream:
        if card.streams and len(raised) < 2:
            raised.append(1)
            raise OSError("no such host")
        return card(ring, sample_rate, device, period_samples, rescan)

    with Player(Sine(), open_stream=opener, on_notice=notices.append) as player:
        card.plugged = False
        wait_for(lambda: player.state().status == "lost")
        card.plugged = True
        wait_for(lambda: player.state().status == "playing")
    assert len(raised) == 2
    assert len([text for text in notices if "no such host" in text]) == 1
