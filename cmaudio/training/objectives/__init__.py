"""What a consistency network and its teacher are trained for: one objective a file, each in its paper's symbols."""

from __future__ import annotations

from typing import Annotated, assert_never

from pydantic import Field

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.consistency_distillation import CdSettings, ConsistencyDistillation
from cmaudio.training.objectives.continuous_consistency import ContinuousConsistency, ScmSettings
from cmaudio.training.objectives.easy_consistency_tuning import EasyConsistencyTuning, EctSettings
from cmaudio.training.objectives.edm import Edm, EdmSettings
from cmaudio.training.objectives.energy_score import EnergyScore, EnergySettings
from cmaudio.training.objectives.objective import Denoiser, Objective

__all__ = [
    "CdSettings",
    "Denoiser",
    "EctSettings",
    "EdmSettings",
    "EnergySettings",
    "Objective",
    "ObjectiveSettings",
    "ScmSettings",
    "make_objective",
]

ObjectiveSettings = Annotated[
    EdmSettings | CdSettings | EctSettings | ScmSettings | EnergySettings, Field(discriminator="objective")
]


def make_objective(settings: ObjectiveSettings, sigma: NoiseLevels) -> Objective:
    """The objective that the settings are of, for a network with these noise levels."""
    match settings:
        case EdmSettings():
            return Edm(settings, sigma)
        case CdSettings():
            return ConsistencyDistillation(settings, sigma)
        case EctSettings():
            return EasyConsistencyTuning(settings, sigma)
        case ScmSettings():
            return ContinuousConsistency(settings, sigma)
        case EnergySettings():
            return EnergyScore(settings, sigma)
        case _:
            assert_never(settings)
