"""Counts of OSC messages and errors, reported to senders and to the user at limited rates."""

from __future__ import annotations

import time
from collections.abc import Callable

from cmaudio.osc.flow import Bucket

_REPLIES_BURST, _REPLIES_PER_SECOND = 20, 10.0
_NOTICE_EVERY_SECONDS = 10.0


class MessageLog:
    """The counters of a server.

    Attributes:
        received: messages that arrived.
        errors: messages that were invalid or failed.
        dropped: messages that arrived too fast.
    """

    def __init__(self, on_notice: Callable[[str], object]) -> None:
        self.received, self.errors, self.dropped = 0, 0, 0
        self._on_notice = on_notice
        self._replies = Bucket(_REPLIES_BURST, _REPLIES_PER_SECOND)
        self._noticed_at, self._noticed = -_NOTICE_EVERY_SECONDS, (0, 0)
        self._last_error = ""
        self._unread = 0

    def error(self, describe: Callable[[], str], reply: Callable[[str], object]) -> None:
        """Count an error. `describe` is called only if a reply is due, so in a flood errors are only counted."""
        self.errors += 1
        if self._replies.take(time.monotonic()):
            self._last_error = describe()
            reply(self._last_error)

    def drop(self, reply: Callable[[str], object]) -> None:
        """Count a dropped message."""
        self.dropped += 1
        if self._replies.take(time.monotonic()):
            reply(f"too many messages: {self.dropped} dropped so far")

    def drop_unread(self, datagrams: int) -> None:
        """Count datagrams that were dropped unread; `datagrams` is their total so far."""
        new, self._unread = datagrams - self._unread, datagrams
        self.received += new
        self.dropped += new

    def notify(self) -> None:
        """Report new errors and drops to the user, at most every 10 seconds."""
        now, counts = time.monotonic(), (self.errors, self.dropped)
        if counts == self._noticed or now - self._noticed_at < _NOTICE_EVERY_SECONDS:
            return
        errors, dropped = (count - before for count, before in zip(counts, self._noticed, strict=True))
        parts = [f"{errors} messages with errors, the last: {self._last_error}"] if errors else []
        parts += [f"{dropped} messages dropped because they arrived too fast"] if dropped else []
        self._noticed_at, self._noticed = now, counts
        self._on_notice(f"OSC: {'; '.join(parts)}")
