"""The output pairs of a stereo engine."""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.checks import whole_number
from cmaudio.errors import CmaudioError

MAX_PAIRS = 32


@dataclass(frozen=True)
class Outputs:
    """The number of output pairs, and the number (from 1) of the pair that plays the mix and the effects."""

    pairs: int = 1
    main: int = 1

    @classmethod
    def checked(cls, pairs: int, main: int, channels: int) -> Outputs:
        """The outputs of an engine. Raises CmaudioError for numbers out of range, and for pairs of a mono engine."""
        outputs = cls(whole_number("pairs", pairs, 1, MAX_PAIRS), whole_number("pair", main, 1, pairs))
        if channels == 1 and pairs > 1:
            raise CmaudioError("a mono instrument has no output pairs; use channels=2")
        return outputs

    def checked_pair(self, pair: int | None) -> int | None:
        """`pair` if it exists, or None for the mix. Raises CmaudioError for any other."""
        if pair is not None and (isinstance(pair, bool) or pair not in range(1, self.pairs + 1)):
            raise CmaudioError(
                f"there is no output pair {pair!r}: {self.pairs} are open; open more with pairs= or --pairs"
            )
        return pair


MAIN_ONLY = Outputs()
