"""The prior: predicts the median and spread of every band of a block's frames from the controls.

With a prior, the consistency network samples the residual, (frame - median) / spread. Without one, it samples the
frames themselves; here "residual" means either.

Shapes: B voices, K frames, M mel bands, C control channels, Z timbre dimensions. Frames are normalised log-mel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.correction import correction_of
from cmaudio.synthesis.graph import Graph
from cmaudio.synthesis.learned import learned_offsets_of


class Prediction(Protocol):
    """What is known of a block's frames before the consistency network samples."""

    @property
    def controls(self) -> Float:
        """(B, K, C') input of the controls network."""
        ...

    @property
    def level(self) -> Float | None:
        """(B, K, 1) nepers that the correction adds after the vocoder; None without one."""
        ...

    def residual_of_silence(self, silence: Float) -> Float:
        """The residual of the silence (B, K, M) before a note."""
        ...

    def frames(self, residual: Float, humanity: Float | np.float32) -> Float:
        """Residual (B, K, M), and its scale (B, K, 1) -> frames (B, K, M)."""
        ...


@dataclass(frozen=True)
class NoPrediction:
    """Of a model without a prior."""

    controls: Float
    level: None = None

    def residual_of_silence(self, silence: Float) -> Float:
        return silence

    def frames(self, residual: Float, humanity: Float | np.float32) -> Float:
        return residual


@dataclass(frozen=True)
class MedianAndSpread:
    """Median and spread (B, K, M) of every band; frames are bounded below by silence (1, K, M)."""

    controls: Float
    median: Float
    spread: Float
    silence: Float
    level: Float | None = None

    def residual_of_silence(self, silence: Float) -> Float:
        return np.zeros_like(silence)

    def frames(self, residual: Float, humanity: Float | np.float32) -> Float:
        return np.maximum(self.median + humanity * self.spread * residual, self.silence)


class Prior:
    """The prior of a model.

    Args:
        graph: the graph `prior` of the model file.
        model: whose prior it is.
        silence: (1, K, M) frames.
    """

    def __init__(self, graph: Graph, model: Model, silence: Float) -> None:
        self.graph, self._silence, self._dims = graph, silence, model.manifest.timbre_dims
        self.set_timbres(model)

    def set_timbres(self, model: Model) -> None:
        """Use the learned timbres and corrections of this model."""
        self._learned, self.correction = learned_offsets_of(model.manifest), correction_of(model)

    def __call__(self, controls: Float, timbre: Float) -> MedianAndSpread:
        """(B, K, C) controls, (B, K, Z) timbre -> prediction of a block.

        Dimensions of `timbre` beyond the model's own are the shares of its learned timbres.
        """
        median, spread = self.graph(controls, timbre[..., : self._dims])
        shares = timbre[..., self._dims :]
        if self._learned is not None and shares.any():
            median, spread = self._learned(controls, shares, median, spread)
        seen = np.concatenate([controls, median], -1)  # as in training, without the correction
        level = None
        if self.correction is not None:
            median, level = self.correction(controls, timbre, median)
        return MedianAndSpread(seen, median, spread, self._silence, level)
