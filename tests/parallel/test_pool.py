"""Pools that need one machine alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fixtures.work import die, square

from cmaudio.errors import CmaudioError
from cmaudio.parallel.pool import InProcess, Pool, Processes, local_pool
from cmaudio.parallel.versions import differences, versions

POOLS: list[Callable[[], Pool]] = [InProcess, lambda: Processes(2)]


@pytest.mark.parametrize("pool", POOLS)
def test_every_item_comes_back_with_its_result(pool: Callable[[], Pool]) -> None:
    assert sorted(pool().run(square, [3, 1, 2])) == [(1, 1), (2, 4), (3, 9)]
    assert list(pool().run(square, [])) == []


@pytest.mark.parametrize("pool", POOLS)
def test_errors_of_the_work_are_raised(pool: Callable[[], Pool]) -> None:
    with pytest.raises(CmaudioError, match="-1 is below 0"):
        list(pool().run(square, [-1]))


def test_a_dying_process_is_a_clear_error() -> None:
    with pytest.raises(CmaudioError, match=r"worker process died.*same command"):
        list(Processes(1).run(die, [1]))


@pytest.mark.parametrize(("workers", "shares"), [(0, True), (1, True), (2, False)])
def test_one_worker_is_this_process(workers: int, shares: bool) -> None:
    assert local_pool(workers).shares_memory is shares


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({}, ""),
        ({"numpy": "1.0"}, "numpy 1.0 instead of"),
        ({"cmaudio's code": "abc"}, "cmaudio's code abc instead of"),
        ({"other": "1"}, "other 1 instead of none"),
    ],
)
def test_differences_of_versions_are_named(theirs: dict[str, str], said: str) -> None:
    found = differences(versions(), versions() | theirs)
    assert said in found
    assert bool(found) == bool(said)


def test_what_only_corpora_are_made_with_need_not_be_where_nothing_is_prepared() -> None:
    playing, all_of_them = versions(preparing=False), versions()
    assert playing.items() < all_of_them.items()
    assert "onnxruntime" in playing
    assert "lhotse" not in playing
