"""Jobs on the machines of a Ray cluster, as tasks that Ray restarts when a worker or a machine is lost.

A machine with other versions would produce different audio: it is refused, and its work goes to the others.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cmaudio.errors import CmaudioError
from cmaudio.parallel.versions import differences, versions

Item = TypeVar("Item")
Result = TypeVar("Result")
_TASK_RETRIES = 3  # of a job whose worker was lost
_SPARE_TASKS = 2  # per processor, so that none waits for the next
_LEAST_IN_FLIGHT = 8


@dataclass(frozen=True)
class _Done:
    """The outcome of a job; `node` refused it if `differs` gives a reason."""

    result: Any = None
    node: str = ""
    machine: str = ""
    differs: str = ""
    error: CmaudioError | None = None


def _work(task: Callable[[Any], Any], item: Any, expected: dict[str, str]) -> _Done:
    """Runs on any machine of the cluster."""
    import ray

    node, machine = ray.get_runtime_context().get_node_id(), socket.gethostname()
    if differs := differences(expected, versions()):
        return _Done(node=node, machine=machine, differs=differs)
    try:
        return _Done(task(item))
    except CmaudioError as error:
        return _Done(error=error)


@dataclass
class RayTasks:
    """Runs jobs on a Ray cluster: that of RAY_ADDRESS, or the one that this machine belongs to.

    Args:
        most_in_flight: maximum number of submitted jobs; by default two per processor of the cluster.
        on_refused: called once for each machine that is not used, with the reason.
    """

    most_in_flight: int | None = None
    on_refused: Callable[[str], object] = lambda why: None
    shares_memory: bool = False
    _refused: dict[str, str] = field(default_factory=dict)

    def run(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        """Yields each item with its result when it is done.

        Raises:
            CmaudioError: there is no cluster, the task failed, work was lost repeatedly, or no machine is left.
        """
        if not items:
            return
        ray = connect()
        waiting, running = deque(items), dict[Any, Item]()
        given, expected = ray.put(task), versions()
        most = self.most_in_flight or max(_LEAST_IN_FLIGHT, int(_SPARE_TASKS * ray.cluster_resources().get("CPU", 1)))
        try:
            while waiting or running:
                while waiting and len(running) < most:
                    item = waiting.popleft()
                    running[self._remote(ray).remote(given, item, expected)] = item
                for ref in ray.wait(list(running), num_returns=1)[0]:
                    item, done = running.pop(ref), _result(ray, ref)
                    if done.differs:
                        self._refuse(ray, done)
                        waiting.appendleft(item)
                    elif done.error is not None:
                        raise done.error
                    else:
                        yield item, done.result
        finally:
            for ref in running:
                with contextlib.suppress(Exception):
                    ray.cancel(ref)

    def _remote(self, ray: Any) -> Any:
        options: dict[str, Any] = {"max_retries": _TASK_RETRIES, "num_cpus": 1}
        if self._refused:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(self._refused)})"}
        return ray.remote(**options)(_work)

    def _refuse(self, ray: Any, done: _Done) -> None:
        if done.node not in self._refused:
            self._refused[done.node] = why = f"{done.machine} has {done.differs}"
            self.on_refused(why)
        alive = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        if all(node["NodeID"] in self._refused for node in alive):
            raise CmaudioError(
                f"no machine of the cluster has the versions of this one: {'; '.join(self._refused.values())}. Install "
                "the same on all of them; what is finished is kept: run the same command again to resume"
            )


def _result(ray: Any, ref: Any) -> _Done:
    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise CmaudioError(
            f"work was lost {_TASK_RETRIES + 1} times, most likely for lack of memory ({type(error).__name__}); what "
            "is finished is kept: run the same command again to resume"
        ) from error


def connect() -> Any:
    """Ray, connected to a cluster. Raises CmaudioError if there is none."""
    try:
        import ray
    except ImportError as error:
        raise CmaudioError("a cluster needs Ray, which is not installed: pip install 'cmaudio[cluster]'") from error
    if not ray.is_initialized():
        try:
            ray.init(address=os.environ.get("RAY_ADDRESS", "auto"), log_to_driver=False, logging_level="WARNING")
        except ConnectionError as error:
            raise CmaudioError(
                "there is no Ray cluster here: start one with `ray start --head`, or name it in RAY_ADDRESS"
            ) from error
    return ray
