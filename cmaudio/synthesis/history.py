"""The last samples or frames of a voice, kept in the parts in which they came: few blocks read more than the last one.

Shapes: N entries, along the first axis.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray


class History:
    """The last N entries of a growing sequence.

    Args:
        before: (N, ...) entries before those that are appended.
    """

    def __init__(self, before: NDArray[Any]) -> None:
        self._length = self._kept = len(before)
        self._parts = deque([before])

    def append(self, part: NDArray[Any]) -> None:
        """Add the newest entries, and forget as many of the oldest."""
        self._parts.append(part)
        self._kept += len(part)
        while self._kept - len(self._parts[0]) >= self._length:
            self._kept -= len(self._parts.popleft())

    def last(self, count: int) -> NDArray[Any]:
        """The last `count` entries, at most N."""
        newest = self._parts[-1]
        return newest[-count:] if len(newest) >= count else self.whole()[-count:]

    def whole(self) -> NDArray[Any]:
        """All N entries, which may be changed in place."""
        if len(self._parts) > 1:
            self._parts = deque([np.concatenate(self._parts)[-self._length :]])
            self._kept = self._length
        return self._parts[0][-self._length :]
