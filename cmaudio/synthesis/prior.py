"""What the controls of a block say of its frames before anything is drawn, and how what is drawn joins it.

Shapes: B voices, K frames, M mel bands, C control channels, Z timbre dimensions. Frames are normalised log-mel.
A model has a prior or it has none; whatever uses one asks no further.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cmaudio.signal.dsp import Float


class Expected(Protocol):
    """Of one block."""

    @property
    def controls(self) -> Float:
        """(B, K, C') what the consistency network reads."""
        ...

    def before(self, silence: Float) -> Float:
        """Silence (B, K, M) before a note as the network sees it."""
        ...

    def whole(self, drawn: Float, humanity: Float | np.float32) -> Float:
        """(B, K, M) drawn, and how much of it is heard, (B, K, 1) -> frames (B, K, M)."""
        ...


class Prior(Protocol):
    def __call__(self, controls: Float, timbre: Float) -> Expected:
        """(B, K, C) controls, (B, K, Z) timbre of a block."""
        ...


@dataclass(frozen=True)
class Unknown:
    """Nothing is known beforehand: frames are drawn as they are, all of them."""

    controls: Float

    def before(self, silence: Float) -> Float:
        return silence

    def whole(self, drawn: Float, humanity: Float | np.float32) -> Float:
        return drawn


@dataclass(frozen=True)
class Said:
    """Median and spread (B, K, M) of every band; silence (1, K, M) is the least there is."""

    controls: Float
    median: Float
    spread: Float
    silence: Float

    def before(self, silence: Float) -> Float:
        return np.zeros_like(silence)

    def whole(self, drawn: Float, humanity: Float | np.float32) -> Float:
        return np.maximum(self.median + humanity * self.spread * drawn, self.silence)


class Graph(Protocol):
    """Controls and timbre to median and spread."""

    def __call__(self, *inputs: Float) -> list[Float]: ...


class Amendment(Protocol):
    """What learned timbres add: median and spread for controls and the shares (B, K, L) of L learned timbres."""

    def __call__(self, controls: Float, shares: Float, median: Float, spread: Float) -> tuple[Float, Float]: ...


class SoundCorrection(Protocol):
    """The median (B, K, M) in its colour, for controls, points (B, K, Z) and the median that the networks see."""

    def __call__(self, controls: Float, timbre: Float, median: Float) -> Float: ...

    def level(self, controls: Float, timbre: Float) -> Float:
        """(B, K, 1) nepers by which the sound is louder than the median says."""
        ...

    def heard(self, frames: Float, controls: Float, timbre: Float) -> Float:
        """Frames (B, K, M) as loud as they are heard."""
        ...


class NoPrior:
    """That of a model without one."""

    def __call__(self, controls: Float, timbre: Float) -> Expected:
        return Unknown(controls)


class GraphPrior:
    """That of a model whose file has the graph `prior`.

    Args:
        graph: reads `dims` timbre dimensions.
        silence: (1, K, M).
        amendment: of the learned timbres, whose shares are the further dimensions; None where there are none.
        correction: of the colour and level that are heard; None where there is none.
    """

    def __init__(
        self,
        graph: Graph,
        silence: Float,
        dims: int,
        amendment: Amendment | None = None,
        correction: SoundCorrection | None = None,
    ) -> None:
        self.graph, self._silence, self._dims = graph, silence, dims
        self.amendment, self.correction = amendment, correction

    def __call__(self, controls: Float, timbre: Float) -> Expected:
        median, spread = self.graph(controls, timbre[..., : self._dims])
        shares = timbre[..., self._dims :]
        if self.amendment is not None and shares.any():
            median, spread = self.amendment(controls, shares, median, spread)
        seen = np.concatenate([controls, median], -1)
        if self.correction is not None:
            median = self.correction(controls, timbre, median)
        return Said(seen, median, spread, self._silence)
