"""Limits on slow jobs and spoken texts, so that no client monopolises the instrument."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from cmaudio.engine.speech import Speech
from cmaudio.errors import CmaudioError

PER_CLIENT, IN_ALL = 4, 16
T = TypeVar("T")


class Unfinished(Generic[T]):
    """Unfinished work by client, at most `PER_CLIENT` for each and `IN_ALL` in total.

    Args:
        what: the work in the plural, for the error message.
        ended: whether a piece of work is finished.
        remedy: what to do when there is too much.
    """

    def __init__(self, what: str, ended: Callable[[T], bool], remedy: str) -> None:
        self._what, self._ended, self._remedy = what, ended, remedy
        self._work: list[tuple[str, T]] = []

    def demand_room(self, client: str) -> None:
        """Raises CmaudioError if no more may be added."""
        self._work = [(owner, item) for owner, item in self._work if not self._ended(item)]
        for count, limit in ((sum(owner == client for owner, _ in self._work), PER_CLIENT), (len(self._work), IN_ALL)):
            if count >= limit:
                raise CmaudioError(f"{count} {self._what} are unfinished, and {limit} are the limit; {self._remedy}")

    def add(self, client: str, item: T) -> None:
        self._work.append((client, item))

    def __iter__(self) -> Iterator[T]:
        return iter([item for _, item in self._work])


class BackgroundJobs:
    """Runs slow jobs one after another, off the thread that handles commands."""

    def __init__(self, name: str, what: str, on_error: Callable[[str, Exception], object]) -> None:
        self._executor = ThreadPoolExecutor(1, name)
        self._unfinished: Unfinished[Future[None]] = Unfinished(what, Future.done, "wait for them")
        self._on_error = on_error

    def submit(self, client: str, job: Callable[[], object]) -> None:
        """Run `job` later; its error is passed to `on_error`. Raises CmaudioError if too many are waiting."""

        def run() -> None:
            try:
                job()
            except Exception as error:
                self._on_error(client, error)

        self._unfinished.demand_room(client)
        self._unfinished.add(client, self._executor.submit(run))

    def close(self) -> None:
        """Finish the running job, and drop waiting ones."""
        self._executor.shutdown(cancel_futures=True)


class Texts:
    """The texts that are being spoken.

    Args:
        say: begins to speak a text.
        report: called with one line about each part that is not spoken.
    """

    def __init__(self, say: Callable[[str], Speech], report: Callable[[str], object]) -> None:
        self._say, self._report = say, report
        self._unfinished: Unfinished[Speech] = Unfinished("texts", lambda speech: speech.ended, "wait, or stop them")

    def say(self, client: str, text: str) -> None:
        """Speak a text. Raises CmaudioError if too many are being spoken."""
        self._unfinished.demand_room(client)
        speech = self._say(text)
        self._unfinished.add(client, speech)
        speech.report_to(self._report)

    def stop(self) -> None:
        """Stop all of them."""
        for speech in self._unfinished:
            speech.stop()
