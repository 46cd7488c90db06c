"""The protocol of a pool of workers, and the two kinds that run on one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Protocol, TypeVar

from cmaudio.errors import CmaudioError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool(Protocol):
    """Runs jobs in any order.

    Attributes:
        shares_memory: whether the jobs run in this process.
    """

    @property
    def shares_memory(self) -> bool: ...

    def run(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        """Yields each item with its result when it is done; the task can be pickled.

        Raises what the task raises, and CmaudioError if work was lost.
        """
        ...


class InProcess:
    """One job after the other, in this process."""

    shares_memory = True

    def run(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        for item in items:
            yield item, task(item)


class Processes:
    """Jobs in processes of this machine.

    Args:
        workers: number of processes.
    """

    shares_memory = False

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        pool = ProcessPoolExecutor(max(1, min(self._workers, len(items))), get_context("spawn"))
        try:
            futures = {pool.submit(task, item): item for item in items}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise CmaudioError(
                "a worker process died, most likely out of memory; what is finished is kept; run the same command "
                "again to resume (fewer --workers need less memory)"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def local_pool(workers: int) -> Pool:
    """Processes of this machine, or only this one."""
    return InProcess() if workers <= 1 else Processes(workers)
