"""Admission: what cannot be made in time is refused, with the time after which to ask again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("fastapi")

from cmaudio.serve.capacity import Capacity, Cost
from cmaudio.serve.failure import Failure

# An evaluation of 16 voices takes 16 ms, so a voice 1 ms of the 40 ms that a block lasts.
COST = Cost(evaluation=0.0, voice=0.001, beginning=0.05, block=0.04)


def stream(slack: float = 1.0, first: float | None = 0.1, voices: int = 1) -> Any:
    return SimpleNamespace(
        voices=voices, model_name="english", first_seconds=first, asleep=False, slack_seconds=lambda now: slack
    )


def capacity(workers: int = 1) -> Capacity:
    return Capacity(workers, {"english": COST})


def test_capacity_follows_threads_and_what_evaluations_take() -> None:
    assert capacity().streams("english") == 32
    assert capacity(2).streams("english") == 64
    slow = capacity()
    for _ in range(500):
        slow.observe("english", 8, 0.016)
    assert slow.streams("english") == 16
    for _ in range(500):
        slow.observe("english", 16, 0.004)  # it was measured at a busy moment
    assert slow.streams("english") == 127


@pytest.mark.parametrize(
    ("streams", "voices", "admitted"),
    [
        ([], 1, True),
        ([], 1000, True),  # alone, everything is tried
        ([stream()] * 30, 1, True),
        ([stream()] * 32, 1, False),
        ([stream(voices=16)], 15, True),
        ([stream(voices=16)], 17, False),
        ([stream(first=None)] * 4, 1, True),
        ([stream(first=None)] * 6, 1, False),  # its first sound would come after more than 0.3 s
        ([stream(slack=-0.1)], 1, False),  # somebody has run out of sound already
    ],
)
def test_a_stream_is_admitted_if_all_can_be_made_in_time(streams: list[Any], voices: int, admitted: bool) -> None:
    if admitted:
        capacity().admit(streams, "english", voices, 0.0)
        return
    with pytest.raises(Failure) as refusal:
        capacity().admit(streams, "english", voices, 0.0)
    assert refusal.value.status == 503
    assert 1 <= (refusal.value.retry_seconds or 0) <= 30
