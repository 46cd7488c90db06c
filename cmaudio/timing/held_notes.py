"""The notes that a part has started and must still release, or cancel."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque

from cmaudio.engine.note import Note


class HeldNotes:
    """Notes by the beats at which they are released."""

    def __init__(self) -> None:
        self._held: list[tuple[float, int, Note, int]] = []  # a heap, with the samples by which they started late
        self._order = itertools.count()
        self._started: deque[tuple[int, Note]] = deque()  # those that may not have started yet, with their samples

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def next_release(self) -> float:
        """The beat of the next release; inf for none."""
        return self._held[0][0] if self._held else math.inf

    def add(self, end: float, note: Note, sample: int, late: int, now: int) -> None:
        """Hold a note until a beat. It starts at a sample, `late` samples after its time; `now` is the engine's."""
        heapq.heappush(self._held, (end, next(self._order), note, late))
        self._started.append((sample, note))
        while self._started and self._started[0][0] < now:
            self._started.popleft()

    def release_next(self, at: float) -> None:
        """Release the note that is due next, at a sample."""
        _, _, note, late = heapq.heappop(self._held)
        note.off(at=max(0, round(at) + late))

    def end_by(self, beat: float) -> None:
        """Release all notes at this beat at the latest."""
        self._held = [(min(end, beat), order, note, late) for end, order, note, late in self._held]
        heapq.heapify(self._held)

    def silence(self, at: int) -> None:
        """Release all notes at a sample; those that would start later are cancelled."""
        while self._held:
            heapq.heappop(self._held)[2].off(at=at)
        self.cancel(at)

    def cancel(self, at: int) -> None:
        """Cancel notes that would start after a sample."""
        for sample, note in self._started:
            if sample > at:
                note.off(at=at)
        self._started.clear()
