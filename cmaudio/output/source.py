"""The source from which a player reads samples."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Source(Protocol):
    """Anything that produces samples. A subclass need not define `channels`, `prepare` and `on_overload`."""

    sample_rate: int
    channels: int = 1  # 2 for a pair of outputs, 4 for two pairs, and so on

    def read(self, n: int, /) -> npt.NDArray[np.float32]:
        """The next n samples, (n,) or (n, channels) float32 in [-1, 1]."""

    def prepare(self) -> bool:
        """Work ahead while the output buffer is full; returns whether there is more to prepare."""
        return False

    def on_overload(self) -> None:
        """The output buffer is less than half full: make `read` cheaper."""
        return
