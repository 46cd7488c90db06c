"""The configuration as a whole: networks, stages, how the run is computed, and its model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cmaudio.model.manifest import NoiseLevels
from cmaudio.strict import Positive, Strict
from cmaudio.training.config.loggers import Loggers, TensorBoardSettings
from cmaudio.training.config.networks import (
    NetworkSettings,
    PriorNetworkSettings,
    ProsodyNetworkSettings,
    VocoderNetworkSettings,
)
from cmaudio.training.config.stages import ConsistencyStage, JointStage, PriorStage, SentenceStage, VocoderStage

STAGES = ("aligner", "prior", "teacher", "student", "vocoder", "vocoder_tuning", "joint", "prosody")  # in order


class LoopSettings(Strict):
    """How a run is computed, as opposed to what; may change when a run is resumed."""

    precision: Annotated[
        Literal["auto", "32-true", "bf16-mixed"],
        Field(description="auto: bf16-mixed if the device computes bfloat16 natively, else 32-true"),
    ] = "auto"
    compile: bool = True
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: Annotated[int, Field(ge=1)] = 1
    nodes: Annotated[int, Field(ge=1)] = 1
    threads: Annotated[int, Field(ge=0, description="CPU threads; 0: torch's default")] = 0
    memory_gb: Annotated[float, Field(gt=0, description="most device memory that the corpus may take")] = 24.0
    window_steps: Annotated[int, Field(ge=1, description="steps per window of a corpus that exceeds memory_gb")] = 1000
    checkpoint_minutes: Positive = 5.0
    keep: Annotated[int, Field(ge=1, description="checkpoints kept per stage")] = 2
    log_steps: Annotated[int, Field(ge=1)] = 50
    picture_steps: Annotated[int, Field(ge=0, description="0: only at the end")] = 1000
    loggers: Loggers = (TensorBoardSettings(),)


class ExportSettings(Strict):
    """Metadata of the model file, and the precision of its weights.

    `life` is the scale of a prior's residual at humanity 1; below 1 it compensates samples that fluctuate more than
    recordings. Timbres in `leave_out` are trained and not put into the model.
    """

    weights: Literal["float32", "int8"] = "float32"
    default_timbre: str | None = None
    licence: str | None = None
    life: Annotated[float, Field(gt=0, le=1)] = 1.0
    limits: list[str] = Field(default_factory=list)
    leave_out: list[str] = Field(default_factory=list)


class StartFrom(Strict):
    """Initial weights per stage; timbres are matched by name.

    Each is the .safetensors of an earlier run, a model file, or the name of an embedded model.
    """

    prosody: Path | None = None
    prior: Path | None = None
    teacher: Path | None = None
    student: Path | None = None
    vocoder: Path | None = None
    discriminators: Path | None = None


class RunConfig(Strict):
    """A run: teacher, student, vocoder, its tuning on the student's mels, joint tuning of both, then a model file.

    For a corpus with text, an aligner comes first (unless the corpus has phoneme times) and prosody last. A stage that
    is null is skipped; with a prior, teacher and student learn its residual; a student without a teacher stage starts
    from `start_from`, or from random weights.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]
    description: str
    seed: Annotated[int, Field(ge=0)] = 1
    expected: Annotated[str, Field(description="metrics that this run should reach, and their source")] = ""
    network: NetworkSettings = NetworkSettings()
    vocoder_network: VocoderNetworkSettings = VocoderNetworkSettings()
    prosody_network: ProsodyNetworkSettings = ProsodyNetworkSettings()
    prior_network: PriorNetworkSettings = PriorNetworkSettings()
    sigma: NoiseLevels = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)
    start_from: StartFrom = StartFrom()
    aligner: SentenceStage | None = None
    prior: PriorStage | None = None
    teacher: ConsistencyStage | None = None
    student: ConsistencyStage | None = None
    vocoder: VocoderStage | None = None
    vocoder_tuning: VocoderStage | None = None
    joint: JointStage | None = None
    prosody: SentenceStage | None = None
    loop: LoopSettings = LoopSettings()
    export: ExportSettings = ExportSettings()

    @property
    def has_prior(self) -> bool:
        """Whether the networks sample the residual of a prior."""
        return self.prior is not None or self.start_from.prior is not None

    @property
    def note_features(self) -> Literal["note-1", "note-2"]:
        """The kind of features that the networks read of a note."""
        return "note-2" if self.has_prior else "note-1"

    @model_validator(mode="after")
    def _whole_blocks(self) -> RunConfig:
        for name in ("teacher", "student"):
            stage, k = getattr(self, name), self.network.block_frames
            if stage and (stage.crops.frames % k or stage.crops.frames < 3 * k):
                raise ValueError(
                    f"{name}.crops.frames {stage.crops.frames} must be a multiple of network.block_frames "
                    f"{self.network.block_frames}, and at least three of them"
                )
        return self

    @model_validator(mode="after")
    def _has_what_stages_need(self) -> RunConfig:
        if self.vocoder_network.kind == "bands" and (self.vocoder or self.vocoder_tuning or self.joint):
            raise ValueError("vocoder_network.kind bands has nothing to train: leave out the stages of the vocoder")
        generated = self.vocoder_tuning is not None and self.vocoder_tuning.generated_share > 0
        if generated and not (self.student or self.start_from.student):
            raise ValueError("vocoder_tuning.generated_share needs a student: give the stage or start_from.student")
        if self.vocoder and self.vocoder.keep and not self.start_from.vocoder:
            raise ValueError("vocoder.keep needs weights to keep: give start_from.vocoder, or set it to 0")
        if self.joint and self.joint.keep:
            raise ValueError("joint.keep must be 0: only the stages vocoder and vocoder_tuning can keep weights")
        if self.joint and self.has_prior:
            raise ValueError("joint training does not support a prior yet: leave out one of the two")
        if self.joint and not (
            (self.student or self.start_from.student)
            and (self.vocoder or self.vocoder_tuning or self.start_from.vocoder)
        ):
            raise ValueError("joint needs a student and a vocoder: give their stages or start_from")
        return self
