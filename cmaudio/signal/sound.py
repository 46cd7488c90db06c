"""An array of samples with a sample rate and a notebook display."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray


class Sound(np.ndarray[Any, np.dtype[np.float32]]):
    """An array of samples (N,) or (N, 2) float32, within [-1, 1], with a `sample_rate` in Hz.

    It behaves like an array; slices and results of computations stay sounds. `Sound(samples, sample_rate)` does not
    copy. A notebook shows it as a player and a mel spectrogram.
    """

    sample_rate: int

    def __new__(cls, samples: NDArray[np.float32], sample_rate: int) -> Sound:
        """Samples (N,) or (N, 2), sample rate in Hz."""
        sound = np.asarray(samples, np.float32).view(cls)
        sound.sample_rate = sample_rate
        return sound

    def __array_finalize__(self, obj: object) -> None:
        self.sample_rate = getattr(obj, "sample_rate", 0)

    def __reduce__(self) -> tuple[Any, ...]:
        """Includes the sample rate, which an array's own pickle omits."""
        make, arguments, state = cast("tuple[Any, Any, Any]", super().__reduce__())
        return make, arguments, (state, self.sample_rate)

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state[0])
        self.sample_rate = state[1]

    def _repr_html_(self) -> str | None:
        from cmaudio.signal.html import sound_html

        of_sound = self.ndim == 1 or (self.ndim == 2 and self.shape[1] == 2)
        playable = of_sound and self.size and self.sample_rate and np.issubdtype(self.dtype, np.floating)
        return sound_html(self, self.sample_rate) if playable else None
