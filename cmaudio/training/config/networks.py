"""Shapes of the networks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cmaudio.errors import CmaudioError
from cmaudio.strict import Positive, Share, Strict
from cmaudio.training.plugins import check_name

Dilation = Annotated[int, Field(ge=1, le=32)]


class NetworkSettings(Strict):
    """Shape of the consistency network and its teacher; `dropout` acts on the context and the conditioning.

    `autoregressive`: samples are noise that is correlated from frame to frame, plus a learned correction. With a
    prior, residuals are clipped at `most_spreads` of its moving spreads: in music larger ones are bursts, in textures
    events. `kind` is "consistency", or a network from another package by its entry point or class path, with `settings`
    for its constructor.
    """

    kind: str = "consistency"
    settings: dict[str, Any] = Field(default_factory=dict)
    block_frames: Annotated[int, Field(ge=1, le=64)] = 4
    width: Annotated[int, Field(ge=8)] = 256
    context_depth: Annotated[int, Field(ge=1, le=24)] = 6
    head_depth: Annotated[int, Field(ge=1, le=24)] = 6
    conditioning: Annotated[int, Field(ge=8)] = 256
    timbre_dims: Annotated[int, Field(ge=1)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    autoregressive: bool = False
    most_spreads: Positive = 2.5

    @model_validator(mode="after")
    def _is_named(self) -> NetworkSettings:
        try:
            check_name("network", self.kind, ("consistency",))
        except CmaudioError as error:
            raise ValueError(str(error)) from error
        if self.settings and self.kind == "consistency":
            raise ValueError("settings are for a network from another package: name it by kind, or omit them")
        return self


class PriorNetworkSettings(Strict):
    """Shape of the prior.

    `modulation` is the width of a layer that scales and shifts the blocks by timbre, key and velocity; 0: none.
    """

    width: Annotated[int, Field(ge=8)] = 384
    depth: Annotated[int, Field(ge=1, le=24)] = 6
    modulation: Annotated[int, Field(ge=0, le=1024)] = 0


class VocoderNetworkSettings(Strict):
    """Shape of the vocoder.

    Its blocks use the `dilations` in turn: frames from one tap of their convolution to the next.
    `bands`: noise filtered by the mel bands (`cmaudio.training.networks.band_vocoder`), without stages to train.
    """

    kind: Literal["filters", "bands"] = "filters"
    width: Annotated[int, Field(ge=8)] = 384
    depth: Annotated[int, Field(ge=1, le=24)] = 8
    dilations: Annotated[tuple[Dilation, ...], Field(min_length=1, max_length=24)] = (1, 1, 2, 1, 4, 1, 2, 1)


class ProsodyNetworkSettings(Strict):
    """Shape of the prosody network."""

    width: Annotated[int, Field(ge=8)] = 192
    depth: Annotated[int, Field(ge=1, le=24)] = 6
    dropout: Share = 0.1
