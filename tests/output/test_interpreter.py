"""Interpreter settings while players are open: whoever closes last restores them."""

from __future__ import annotations

import gc
import sys

import pytest
from fixtures.fake_card import FakeCard, Sine

from cmaudio.output.interpreter import SWITCH_INTERVAL_S
from cmaudio.output.player import Player


@pytest.mark.parametrize("first_to_close", [0, 1], ids=["in the order of opening", "in reverse"])
def test_settings_hold_until_the_last_player_is_closed(first_to_close: int) -> None:
    interval_s = sys.getswitchinterval()
    players = [Player(Sine(), open_stream=FakeCard(runs=True)).start() for _ in range(2)]
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
    players.pop(first_to_close).close()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S), "one still plays"
    assert gc.get_freeze_count() > 0
    players[0].close()
    players[0].close()
    assert sys.getswitchinterval() == interval_s
    assert gc.get_freeze_count() == 0


def test_failed_start_restores_the_settings() -> None:
    interval_s = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError):
        Player(Sine(fails_after=0), open_stream=FakeCard()).start()
    assert sys.getswitchinterval() == interval_s
    assert gc.get_freeze_count() == 0
