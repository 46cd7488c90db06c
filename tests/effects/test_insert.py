"""Inserts: heard while they behave, bypassed with one notice when they do not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cmaudio.effects.insert import Insert, Inserts
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

RATE = 48_000


def block(value: float = 0.5, samples: int = 256, channels: int = 2) -> Float:
    return np.full((samples, channels), value, np.float32)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [64, 4096])
def test_replaces_the_sound(samples: int, channels: int) -> None:
    insert, sound = Insert(lambda x: 0.5 * x, RATE), block(0.5, samples, channels)
    insert.process(sound)
    assert np.array_equal(sound, block(0.25, samples, channels))
    assert insert.problem is None
    assert insert.load > 0


def test_may_work_in_place() -> None:
    def halve(x: Float) -> Float:
        x *= 0.5
        return x

    sound = block()
    Insert(halve, RATE).process(sound)
    assert np.array_equal(sound, block(0.25))


def _raising(x: Float) -> Float:
    x[:] = 0
    raise ValueError("no such thing")


def _exiting(x: Float) -> Float:
    raise SystemExit(2)


MISBEHAVING: list[tuple[Callable[[Float], object], str]] = [
    (_raising, "raised ValueError: no such thing"),
    (_exiting, "raised SystemExit: 2"),
    (lambda x: x[:, 0], r"returned the shape \(256,\) for \(256, 2\)"),
    (lambda x: x[:10], r"returned the shape \(10, 2\)"),
    (lambda x: None, r"returned nothing instead of the shape \(256, 2\)"),
    (lambda x: "sound", r"returned the shape \(\)"),
    (lambda x: x.astype(np.int16), "returned int16"),
    (lambda x: x * np.nan, "NaN or infinity"),
    (lambda x: x / np.float32(0), "NaN or infinity"),
]


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(("function", "message"), MISBEHAVING)
def test_is_bypassed_with_one_notice(function: Callable[[Float], Float], message: str) -> None:
    notices: list[str] = []
    insert, sound = Insert(function, RATE, notices.append), block()
    for _ in range(3):
        insert.process(sound)
    assert np.array_equal(sound, block())
    assert len(notices) == 1
    assert str(insert.problem) in notices[0]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(notices[0])


def test_is_bypassed_when_it_is_late_in_a_live_instrument() -> None:
    def slow(x: Float) -> Float:
        time.sleep(0.006)  # longer than the 5.3 ms of the block
        return x

    notices: list[str] = []
    live, offline = Insert(slow, RATE, notices.append, live=True), Insert(slow, RATE)
    for _ in range(5):
        live.process(block())
        offline.process(block())
    assert live.problem is not None
    assert "4 times in a row" in notices[0]
    assert offline.problem is None


def test_a_bypass_makes_no_click() -> None:
    calls = iter(range(3))
    insert = Insert(lambda x: -x if next(calls) < 2 else x[:1], RATE)
    sounds = [block() for _ in range(3)]
    for sound in sounds:
        insert.process(sound)
    assert np.abs(np.diff(np.concatenate(sounds), axis=0)).max() < 0.02
    assert sounds[2][-1].tolist() == [0.5, 0.5]


def test_an_error_of_the_listener_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)
    sound = block()
    Insert(_raising, RATE, lambda notice: 1 / 0).process(sound)
    assert np.array_equal(sound, block())


def test_run_in_order_and_can_be_removed() -> None:
    inserts, sound = Inserts(RATE), block()
    inserts.add(lambda x: x + 1)
    doubling = inserts.add(lambda x: 2 * x)
    inserts.process(sound)
    assert np.array_equal(sound, block(3))
    inserts.remove(doubling)
    inserts.remove(doubling)
    inserts.process(sound)
    assert np.array_equal(sound[64:], block(4)[64:])
    assert len(list(inserts)) == 1


@pytest.mark.parametrize("other", [None, 3, "effect.dsp", np.zeros(3)])
def test_what_is_no_function_is_refused_at_once(other: Any) -> None:
    with pytest.raises(CmaudioError, match="an insert is a function"):
        Inserts(RATE).add(other)


def test_adding_and_removing_while_it_sounds_makes_no_click() -> None:
    inserts, sounds = Inserts(RATE), [block() for _ in range(4)]
    inserts.process(sounds[0])
    both = [inserts.add(lambda x: -x), inserts.add(lambda x: 0.5 * x)]
    inserts.process(sounds[1])
    for insert in both:
        insert.remove()
    for sound in sounds[2:]:
        inserts.process(sound)
    assert np.abs(np.diff(np.concatenate(sounds), axis=0)).max() < 0.04
    assert [sound[-1, 0] for sound in sounds] == [0.5, -0.25, 0.5, 0.5]
    assert not list(inserts)
