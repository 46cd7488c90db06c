"""Limits per client: concurrent streams, and requests per minute."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cmaudio.serve.failure import Failure

_MOST_CLIENTS = 10_000  # remembered; there are more only if clients are identified by address


@dataclass
class _Client:
    """The requests that it may send now, as of a time in seconds, and its streams."""

    allowance: float
    at: float
    streams: int = 0


class Limits:
    """Counts requests and streams of clients. For one thread.

    Args:
        streams: concurrent streams of one client.
        requests_per_minute: of one client; they may come all at once.
    """

    def __init__(self, streams: int = 32, requests_per_minute: int = 600) -> None:
        self._most_streams, self._per_minute = streams, requests_per_minute
        self._clients: dict[str, _Client] = {}

    @property
    def streams(self) -> int:
        """The streams of all clients."""
        return sum(client.streams for client in tuple(self._clients.values()))

    def request(self, name: str, now: float) -> None:
        """Record a request of a client at `now` seconds. Raises Failure if there are too many."""
        client = self._client(name, now)
        gained = (now - client.at) * self._per_minute / 60
        client.allowance, client.at = min(self._per_minute, client.allowance + gained), now
        if client.allowance < 1:
            raise Failure(
                429,
                f"{self._per_minute} requests a minute are allowed to a client; send fewer",
                "rate_limit_exceeded",
                retry_seconds=math.ceil((1 - client.allowance) * 60 / self._per_minute),
            )
        client.allowance -= 1

    @contextmanager
    def stream(self, name: str, now: float) -> Iterator[None]:
        """Counts a stream of a client while the body runs. Raises Failure if there are too many."""
        client = self._client(name, now)
        if client.streams >= self._most_streams:
            raise Failure(
                429,
                f"{self._most_streams} streams at once are allowed to a client; end one first",
                "too_many_streams",
                retry_seconds=1,
            )
        client.streams += 1
        try:
            yield
        finally:
            client.streams -= 1

    def _client(self, name: str, now: float) -> _Client:
        if name not in self._clients:
            if len(self._clients) >= _MOST_CLIENTS:
                self._clients = {n: c for n, c in self._clients.items() if c.streams or now - c.at < 60}
            self._clients[name] = _Client(self._per_minute, now)
        return self._clients[name]
