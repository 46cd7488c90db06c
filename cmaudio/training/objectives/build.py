"""Constructs an objective from its settings."""

from __future__ import annotations

from typing import assert_never

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.consistency_distillation import ConsistencyDistillation
from cmaudio.training.objectives.continuous_consistency import ContinuousConsistency
from cmaudio.training.objectives.easy_consistency_tuning import EasyConsistencyTuning
from cmaudio.training.objectives.edm import Edm
from cmaudio.training.objectives.energy_score import EnergyScore
from cmaudio.training.objectives.objective import Objective
from cmaudio.training.objectives.plugin import make_plugin_objective
from cmaudio.training.objectives.settings import (
    CdSettings,
    EctSettings,
    EdmSettings,
    EnergySettings,
    ObjectiveSettings,
    PluginSettings,
    ScmSettings,
)


def make_objective(settings: ObjectiveSettings, sigma: NoiseLevels) -> Objective:
    """The objective for a network with these noise levels."""
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
        case PluginSettings():
            return make_plugin_objective(settings, sigma)
        case _:
            assert_never(settings)
