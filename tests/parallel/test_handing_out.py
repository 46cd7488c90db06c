"""How work is handed out on a cluster: all of it, not too much at once, and none to machines of other versions."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from fixtures.fake_ray import FakeRay
from fixtures.work import square

from cmaudio.errors import CmaudioError
from cmaudio.parallel import ray_tasks
from cmaudio.parallel.ray_tasks import RayTasks

OURS = {"cmaudio": "1.0", "numpy": "2.0"}


Has = Callable[[str], None]


@pytest.fixture
def has(monkeypatch: pytest.MonkeyPatch) -> Has:
    """Gives the machine that works next a version of cmaudio."""
    return lambda version: monkeypatch.setattr(ray_tasks, "versions", lambda: OURS | {"cmaudio": version})


@pytest.fixture
def ray(has: Has, monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    """Two machines."""
    has("1.0")
    fake = FakeRay({"one": lambda: has("1.0"), "two": lambda: has("1.0")})
    monkeypatch.setitem(sys.modules, "ray", fake)
    return fake


def test_everything_is_done_and_not_all_at_once(ray: FakeRay) -> None:
    assert sorted(RayTasks(most_in_flight=3).run(square, range(10))) == [(i, i * i) for i in range(10)]
    assert ray.most_at_once == 3
    assert set(ray.ran) == {"one", "two"}
    assert list(RayTasks().run(square, [])) == []


def test_a_failure_ends_the_rest(ray: FakeRay) -> None:
    with pytest.raises(CmaudioError, match="-1 is below 0"):
        list(RayTasks(most_in_flight=2).run(square, [2, -1, 3, 4, 5]))
    assert ray.cancelled == 1


def test_work_that_is_lost_for_good_is_a_clear_error(ray: FakeRay) -> None:
    ray.lost = 1
    with pytest.raises(CmaudioError, match=r"work was lost 4 times.*same command"):
        list(RayTasks().run(square, [1]))


def test_errors_that_are_not_ours_come_as_they_are(ray: FakeRay) -> None:
    with pytest.raises(ZeroDivisionError):
        list(RayTasks().run(lambda item: 1 // item, [0]))


def test_a_machine_of_another_version_gets_no_more_work(ray: FakeRay, has: Has) -> None:
    ray.nodes_by_name["old"] = lambda: has("0.9")
    refused: list[str] = []
    done = RayTasks(most_in_flight=1, on_refused=refused.append).run(square, range(9))
    assert sorted(done) == [(i, i * i) for i in range(9)]
    assert ray.ran.count("old") == 1
    assert [why.partition(" has ")[2] for why in refused] == ["cmaudio 0.9 instead of 1.0"]


def test_where_no_machine_has_the_version_nothing_is_made(ray: FakeRay, has: Has) -> None:
    for name in ray.nodes_by_name:
        ray.nodes_by_name[name] = lambda: has("0.9")
    refused: list[str] = []
    with pytest.raises(CmaudioError, match=r"no machine of the cluster .*cmaudio 0\.9 instead of 1\.0.*same command"):
        list(RayTasks(on_refused=refused.append).run(square, range(9)))
    assert len(refused) == 2
