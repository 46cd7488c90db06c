"""What goes wrong with messages: counted, told to their senders and to the user, neither more often than it helps."""

from __future__ import annotations

import time
from collections.abc import Callable

from cmaudio.osc.flow import Bucket

_REPLIES_BURST, _REPLIES_PER_SECOND = 20, 10.0
_NOTICE_EVERY_S = 10.0


class Troubles:
    """Counters, and who is told.

    Attributes:
        received: messages that arrived. errors: those that were wrong. left_out: those that were too many.
    """

    def __init__(self, on_notice: Callable[[str], object]) -> None:
        self.received, self.errors, self.left_out = 0, 0, 0
        self._on_notice = on_notice
        self._replies = Bucket(_REPLIES_BURST, _REPLIES_PER_SECOND)
        self._noticed_at, self._noticed = -_NOTICE_EVERY_S, (0, 0)
        self._last = ""

    def wrong(self, why: Callable[[], str], reply: Callable[[str], object]) -> None:
        """A message was wrong. `why` is asked only if somebody is told: a flood costs no more than counting."""
        self.errors += 1
        if self._replies.take(time.monotonic()):
            self._last = why()
            reply(self._last)

    def too_many(self, reply: Callable[[str], object]) -> None:
        """A message was left out."""
        self.left_out += 1
        if self._replies.take(time.monotonic()):
            reply(f"too many messages: {self.left_out} left out so far")

    def notice(self) -> None:
        """Tell the user, if there is something new and enough time has passed."""
        now, counts = time.monotonic(), (self.errors, self.left_out)
        if counts == self._noticed or now - self._noticed_at < _NOTICE_EVERY_S:
            return
        parts = [f"{counts[0] - self._noticed[0]} messages were wrong, the last: {self._last}"] * (
            counts[0] > self._noticed[0]
        )
        parts += [f"{counts[1] - self._noticed[1]} were too many and left out"] * (counts[1] > self._noticed[1])
        self._noticed_at, self._noticed = now, counts
        self._on_notice(f"OSC: {'; '.join(parts)}")
