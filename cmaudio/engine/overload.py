"""What the engine does when the machine falls behind: it sheds load, and restores it bit by bit."""

from __future__ import annotations

from cmaudio.engine.allocator import VoiceAllocator

_NEVER_SHED_VOICES = 4  # any machine that plays at all can make so many
_RESTORE_SECONDS = 4.0  # from one change of the limit until one more voice may sound


class Overload:
    """Sheds voices, at most one in `interval_samples`, and restores one in every `_RESTORE_SECONDS` after that."""

    def __init__(self, allocator: VoiceAllocator, interval_samples: int) -> None:
        self._allocator, self._interval = allocator, interval_samples
        self._changed_at = -(2**62)

    def shed(self, now: int) -> None:
        """The output fell behind at sample `now`."""
        if now >= self._changed_at + self._interval:
            self._changed_at = now
            self._allocator.shed_load(now, _NEVER_SHED_VOICES)

    def restore(self, now: int) -> None:
        """Allow one voice more if the last change is long enough ago, until there may be as many as asked for."""
        if self._allocator.reduced and now >= self._changed_at + _RESTORE_SECONDS * self._allocator.sample_rate:
            self._changed_at = now
            self._allocator.restore_voice()
