"""Overload handling: the engine sheds load when the machine falls behind, and restores it gradually."""

from __future__ import annotations

from cmaudio.engine.allocator import VoiceAllocator

_NEVER_SHED_VOICES = 4  # any usable machine can compute this many
_RESTORE_SECONDS = 4.0  # after the last change of the limit


class Overload:
    """Sheds at most one voice per `interval_samples`; restores one per `_RESTORE_SECONDS` after that."""

    def __init__(self, allocator: VoiceAllocator, interval_samples: int) -> None:
        self._allocator, self._interval = allocator, interval_samples
        self._changed_at = -(2**62)

    def shed(self, now: int) -> None:
        """The output fell behind at sample `now`."""
        if now >= self._changed_at + self._interval:
            self._changed_at = now
            self._allocator.shed_load(now, _NEVER_SHED_VOICES)

    def restore(self, now: int) -> None:
        """Raise the limit by one voice if the last change was long enough ago, up to the full polyphony."""
        if self._allocator.reduced and now >= self._changed_at + _RESTORE_SECONDS * self._allocator.sample_rate:
            self._changed_at = now
            self._allocator.restore_voice()
