"""The configuration of a comparison of objectives: one network, one schedule, one teacher, several objectives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from cmaudio.model.manifest import NoiseLevels
from cmaudio.strict import Strict
from cmaudio.training.config.networks import NetworkSettings
from cmaudio.training.config.run import LoopSettings, RunConfig, StartFrom
from cmaudio.training.config.stages import ConsistencyStage, ConsistencyTraining
from cmaudio.training.objectives.settings import CdSettings, ObjectiveSettings, ScmSettings

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]


class ComparisonConfig(Strict):
    """For each of `seeds` seeds a teacher is trained, then from its weights one student per objective.

    Students differ only in their objective. Without a teacher they start from random weights.
    """

    name: Label
    description: str
    expected: Annotated[str, Field(description="metrics that this comparison gave, and their source")] = ""
    seeds: Annotated[int, Field(ge=1, le=100)] = 2
    network: NetworkSettings = NetworkSettings()
    sigma: NoiseLevels = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)
    teacher: ConsistencyStage | None = None
    student: ConsistencyTraining
    objectives: Annotated[dict[Label, ObjectiveSettings], Field(min_length=1)]
    loop: LoopSettings = LoopSettings()

    @model_validator(mode="after")
    def _has_a_teacher(self) -> ComparisonConfig:
        if self.teacher is None:
            needy = [label for label, objective in self.objectives.items() if _distils(objective)]
            if needy:
                raise ValueError(f"{', '.join(needy)} distil a teacher: add the section teacher")
        return self

    @model_validator(mode="after")
    def _makes_runs(self) -> ComparisonConfig:
        self.teacher_run(1)
        for label in self.objectives:
            self.student_run(label, 1, None)
        return self

    def teacher_run(self, seed: int) -> RunConfig | None:
        """The run of a seed's teacher."""
        return self._run("teacher", seed, teacher=self.teacher) if self.teacher else None

    def student_run(self, label: str, seed: int, teacher: Path | None) -> RunConfig:
        """The run of a seed's student; `teacher` holds the weights that it starts from."""
        stage = ConsistencyStage.model_validate(self.student.model_dump() | {"objective": self.objectives[label]})
        return self._run(label, seed, student=stage, start_from=StartFrom(teacher=teacher))

    def _run(self, name: str, seed: int, **stages: ConsistencyStage | StartFrom) -> RunConfig:
        shared = {"network": self.network, "sigma": self.sigma, "loop": self.loop}
        return RunConfig.model_validate(
            {"name": name, "description": self.description, "seed": seed, **shared, **stages}
        )


def _distils(objective: ObjectiveSettings) -> bool:
    return isinstance(objective, CdSettings) or (isinstance(objective, ScmSettings) and objective.teacher)
