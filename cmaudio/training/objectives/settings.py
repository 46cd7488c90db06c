"""Settings of the objectives. Kept apart from their losses, so that reading a configuration does not import torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from cmaudio.errors import CmaudioError
from cmaudio.strict import NotNegative, Positive, Share, Strict
from cmaudio.training.plugins import check_name

Weighting = Literal["interval", "snr", "uniform"]


class EdmSettings(Strict):
    """ln sigma is normal with mean P_mean and standard deviation P_std."""

    objective: Literal["edm"] = "edm"
    sigma_mean: float = -0.4
    sigma_std: Positive = 1.4


class EnergySettings(Strict):
    """`share` of the blocks are sampled from sigma_max; the others are denoised, ln sigma normal as in `edm`.

    `parts` weights the scores of parts of the spectrum, of its values and its changes from frame to frame and band to
    band, against the score of whole blocks. A sum of proper scores is proper. A norm over a whole block says little
    about where it errs, and almost nothing about fine detail, whose magnitude is small: without the parts, samples were
    too rough by half. `sums` weights the scores of sums over many bands and of their changes from frame to frame: parts
    say nothing about the correlation of distant bands, and samples flickered as a whole. With `seams`, the scored
    changes include the one from the previous frame into the block. `levels` weights, with a prior, the scores of a
    frame's level and its changes in dB, where loud bands count most, as in hearing.
    """

    objective: Literal["energy"] = "energy"
    share: Annotated[float, Field(gt=0, le=1)] = 0.75
    parts: NotNegative = 1.0
    sums: NotNegative = 0.0
    seams: bool = False
    levels: NotNegative = 0.0
    sigma_mean: float = -0.4
    sigma_std: Positive = 1.4


class ScmSettings(Strict):
    """`teacher` distils; without it the data's own noise gives the slope. `warm_up` is its share of the training."""

    objective: Literal["scm"] = "scm"
    teacher: bool = True
    t_mean: float = -0.4
    t_std: Positive = 2.0
    warm_up: Share = 0.1
    c: Positive = 0.1


class PairSettings(Strict):
    """Loss between f at two levels t > r of one trajectory, for discrete consistency objectives.

    `distance` is pseudo-Huber with c = `huber` sqrt(KM), or the squared error. `weighting` over t: "interval" is
    1 / (t - r) (Song and Dhariwal 2023, table 1), "snr" 1 / t^2 + 1 / sigma_data^2 (Karras et al. 2022), "uniform" 1.
    """

    t_mean: float = -0.4
    t_std: Positive = 2.0
    distance: Literal["pseudo-huber", "l2"] = "pseudo-huber"
    huber: Positive = 0.00054
    weighting: Weighting = "interval"


class CdSettings(PairSettings):
    """`intervals` Karras levels at the start of the training, doubled in equal shares of it up to `final_intervals`.

    `solver_steps` Heun steps of the teacher cross one interval, two evaluations each. One interval throughout with 18
    solver steps is plain distillation of the teacher's samples.

    The weights are uniform, as in the first paper: Karras intervals are widest at sigma_max, where 1 / (t - r) would
    all but remove the levels that one-step generation starts from.
    """

    objective: Literal["cd"] = "cd"
    weighting: Weighting = "uniform"
    intervals: Annotated[int, Field(ge=1, le=4096)] = 10
    final_intervals: Annotated[int, Field(ge=1, le=4096)] = 80
    solver_steps: Annotated[int, Field(ge=1, le=64)] = 1

    @model_validator(mode="after")
    def _grows(self) -> CdSettings:
        if self.final_intervals < self.intervals:
            raise ValueError(f"final_intervals {self.final_intervals} must be at least intervals {self.intervals}")
        return self

    def intervals_at(self, progress: float) -> int:
        """Song and Dhariwal 2023, table 1: min(s_0 2^floor(progress / share of one number), s_1)."""
        doublings = 0
        while self.intervals << doublings < self.final_intervals:
            doublings += 1
        return min(self.intervals << int(progress * (doublings + 1)), self.final_intervals)


class EctSettings(PairSettings):
    """The mapping r(t) = t (1 - n(t) / q^(a+1)), n(t) = 1 + k sigmoid(-b t), a = 0 ... `stages` - 1 in equal shares.

    A larger q or more stages bring t and r closer: less bias at the end, more variance on the way.
    """

    objective: Literal["ect"] = "ect"
    stages: Annotated[int, Field(ge=1, le=16)] = 4
    q: Annotated[float, Field(gt=1, le=256)] = 4.0
    k: Annotated[float, Field(ge=0, le=64)] = 8.0
    b: Positive = 1.0


class PluginSettings(Strict, extra="allow"):
    """An objective from another package, by its entry point or class path; further keys are settings of its class."""

    objective: str

    @field_validator("objective")
    @classmethod
    def _is_named(cls, name: str) -> str:
        try:
            check_name("objective", name, OBJECTIVES)
        except CmaudioError as error:
            raise ValueError(str(error)) from error
        return name


OBJECTIVES = ("edm", "cd", "ect", "scm", "energy")


def _tag(value: Any) -> str | None:
    name = value.get("objective") if isinstance(value, dict) else getattr(value, "objective", None)
    if not isinstance(name, str):
        return None
    return name if name in OBJECTIVES else "plugin"


ObjectiveSettings = Annotated[
    Annotated[EdmSettings, Tag("edm")]
    | Annotated[CdSettings, Tag("cd")]
    | Annotated[EctSettings, Tag("ect")]
    | Annotated[ScmSettings, Tag("scm")]
    | Annotated[EnergySettings, Tag("energy")]
    | Annotated[PluginSettings, Tag("plugin")],
    Discriminator(_tag),
]
