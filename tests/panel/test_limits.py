"""One client cannot occupy the instrument: slow jobs, texts, sockets and commands are limited; cancel comes first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fixtures.browser import wait_for
from fixtures.panel import Pages

from cmaudio.errors import CmaudioError
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.limits import IN_ALL, PER_CLIENT, Unfinished
from cmaudio.panel.web.pace import Pace, SocketCount
from cmaudio.synth import Synth


class SlowDisk:
    """An instrument whose `keep` waits until it is let through."""

    def __init__(self, synth: Synth) -> None:
        self._synth, self.ready = synth, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._synth, name)

    def keep(self, path: Path, seconds: float) -> Path:
        assert self.ready.wait(20)
        return path


@pytest.fixture
def disk(synth: Synth) -> SlowDisk:
    return SlowDisk(synth)


@pytest.fixture
def waiting(disk: SlowDisk, tmp_path: Path) -> Iterator[Pages]:
    """A handler with as many unfinished recordings as one client may have."""
    pages = Pages(disk, tmp_path, ClockOutput())  # type: ignore[arg-type]  # the rest is the synth's
    for _ in range(PER_CLIENT):
        pages.send("keep", seconds=5.0)
    assert pages.quiet
    yield pages
    disk.ready.set()
    pages.handler.close()


def test_more_recordings_than_a_client_may_keep_are_refused(waiting: Pages, disk: SlowDisk) -> None:
    for _ in range(300):
        waiting.send("keep", seconds=5.0)
        assert f"{PER_CLIENT} are the limit" in waiting.refusal()
    disk.ready.set()
    for _ in range(PER_CLIENT):
        assert waiting.notice().startswith("kept as")
    waiting.send("keep", seconds=5.0)
    assert waiting.notice().startswith("kept as")


def test_other_clients_may_keep_until_there_are_too_many_in_all(waiting: Pages) -> None:
    for number in range(IN_ALL - PER_CLIENT):
        waiting.send("keep", f"client-{number}", seconds=5.0)
    assert waiting.quiet
    waiting.send("keep", "one-more", seconds=5.0)
    assert f"{IN_ALL} are the limit" in waiting.refusal()


def test_cancel_does_not_wait_for_recordings(waiting: Pages, disk: SlowDisk) -> None:
    waiting.send("vary", what="places", count=64, phrase="note", seconds=20.0)
    waiting.send("cancel")
    wait_for(lambda: not waiting.handler.variations.status["running"])
    assert not disk.ready.is_set()
    assert waiting.quiet


@dataclass
class Work:
    ended: bool = False


def test_finished_work_makes_room() -> None:
    unfinished = Unfinished[Work]("texts", lambda work: work.ended, "wait")
    works = [Work() for _ in range(PER_CLIENT)]
    for work in works:
        unfinished.demand_room("me")
        unfinished.add("me", work)
    with pytest.raises(CmaudioError, match="4 texts are unfinished"):
        unfinished.demand_room("me")
    unfinished.demand_room("other")
    works[2].ended = True
    unfinished.demand_room("me")
    assert list(unfinished) == [works[0], works[1], works[3]]


def test_a_pace_lets_a_burst_through_and_then_one_item_per_interval() -> None:
    now = 100.0
    pace = Pace(per_second=10, burst=3, clock=lambda: now)
    now += 60  # idle time is worth one burst at most
    assert [round(pace.delay_s(), 3) for _ in range(5)] == [0, 0, 0, 0.1, 0.2]
    now += 0.2
    assert pace.delay_s() == pytest.approx(0.1)


def test_a_closed_socket_makes_room() -> None:
    count = SocketCount(2)
    with count.one_more() as first, count.one_more() as second, count.one_more() as third:
        assert (first, second, third) == (True, True, False)
    with count.one_more() as allowed:
        assert allowed
