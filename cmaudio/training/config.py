"""The configuration of a training run: YAML, strict, complete. What is not said has the value that stands here."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cmaudio.errors import CmaudioError, unknown
from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives import EdmSettings, ObjectiveSettings
from cmaudio.training.tasks.vocoder import VocoderSettings

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSettings(_Strict):
    """Shape of the consistency network (and of its teacher). `dropout` is of the past and of what controls say."""

    block_frames: Annotated[int, Field(ge=1, le=64)] = 4
    width: Annotated[int, Field(ge=8)] = 256
    context_depth: Annotated[int, Field(ge=1, le=24)] = 6
    head_depth: Annotated[int, Field(ge=1, le=24)] = 6
    conditioning: Annotated[int, Field(ge=8)] = 256
    timbre_dims: Annotated[int, Field(ge=1)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class VocoderNetworkSettings(_Strict):
    """Shape of the vocoder."""

    width: Annotated[int, Field(ge=8)] = 384
    depth: Annotated[int, Field(ge=1, le=24)] = 8


class ProsodyNetworkSettings(_Strict):
    """Shape of the prosody network."""

    width: Annotated[int, Field(ge=8)] = 192
    depth: Annotated[int, Field(ge=1, le=24)] = 6
    dropout: Share = 0.1


class Crops(_Strict):
    """What a step reads: `clips` crops of `frames` frames, computed `chunk_clips` at a time.

    A chunk is a process's unit of work and has random numbers of its own, so that the sum over chunks, and with it the
    training, is the same on any number of processes. `chunk_clips` 0 means one chunk. The context encoder looks back 74
    frames (at its default depth): hence the 80 frames of warm-up.
    """

    clips: Annotated[int, Field(ge=1)] = 64
    frames: Annotated[int, Field(ge=8)] = 320
    chunk_clips: Annotated[int, Field(ge=0)] = 0
    warm_up_frames: Annotated[int, Field(ge=0, description="not scored in crops from inside a clip")] = 80
    from_start: Annotated[Share, Field(description="crops that begin a silent block before their clip: attacks")] = 0.5
    balance: Annotated[Share, Field(description="0: by time; 1: every timbre alike")] = 0.5

    @model_validator(mode="after")
    def _whole_chunks(self) -> Crops:
        if self.chunk_clips and self.clips % self.chunk_clips:
            raise ValueError(f"clips {self.clips} must be a multiple of chunk_clips {self.chunk_clips}")
        return self

    @model_validator(mode="after")
    def _something_scored(self) -> Crops:
        if self.frames <= self.warm_up_frames and self.from_start == 0:
            raise ValueError(
                f"crops of {self.frames} frames are all warm-up ({self.warm_up_frames}): nothing would be learned; "
                "take longer ones, fewer warm_up_frames, or more from_start"
            )
        return self

    @property
    def chunks(self) -> int:
        return self.clips // (self.chunk_clips or self.clips)


class ConsistencyStage(_Strict):
    """Training of the consistency network, or of its teacher, by one objective.

    `warmup_steps` raise the learning rate; it falls to `final_share` of itself, along a cosine or in the last
    `decay_share` linearly. `context_noise` is the largest noise on the past in training; a quarter of the clips has
    next to none. `rollout_passes` replaces the past by the network's own, for `rollout_share` of the clips.
    `attack_weight` counts the first 8 blocks of a clip that often. `energy_noise` is the largest standard deviation by
    which a clip's phonemes are told to be louder or softer than they are (1 is 26 dB): what prosody says is not exact.
    """

    objective: ObjectiveSettings
    steps: Annotated[int, Field(ge=1)]
    crops: Crops = Crops()
    optimiser: Literal["adamw", "radam"] = "adamw"
    learning_rate: Positive = 1e-3
    final_share: Share = 0.1
    schedule: Literal["cosine", "late"] = "cosine"
    decay_share: Share = 0.3
    warmup_steps: Annotated[int, Field(ge=0)] = 500
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    gradient_norm: Positive = 1.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    context_noise: Annotated[float, Field(ge=0)] = 1.5
    attack_weight: Positive = 1.0
    energy_noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    rollout_passes: Annotated[int, Field(ge=0, le=32)] = 0
    rollout_share: Share = 0.5


class SentenceStage(_Strict):
    """Training on whole utterances: of the aligner, which finds when each phoneme is said, and of prosody.

    `clips` utterances (for prosody: stretches between pauses) a step; the learning rate rises over `warmup_steps` and
    falls along a cosine to a tenth.
    """

    steps: Annotated[int, Field(ge=1)]
    clips: Annotated[int, Field(ge=1)] = 16
    learning_rate: Positive = 1e-3
    warmup_steps: Annotated[int, Field(ge=0)] = 50
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.99

    @property
    def chunks(self) -> int:
        """All in one: these networks are small."""
        return 1

    def rate_at(self, progress: float) -> float:
        """Learning rate when this part of the training is done."""
        rise = min(1.0, (progress * self.steps + 1) / max(1, self.warmup_steps))
        return self.learning_rate * rise * (0.55 + 0.45 * math.cos(math.pi * progress))


class VocoderStage(_Strict):
    """Training of the vocoder; with `generated_share` that part of the clips has mels from the consistency network."""

    steps: Annotated[int, Field(ge=1)]
    crops: Crops = Crops(frames=48, warm_up_frames=16, from_start=0.35)
    losses: VocoderSettings = VocoderSettings()
    gradient_norm: Positive = 10.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    generated_share: Share = 0.0

    @model_validator(mode="after")
    def _long_enough(self) -> VocoderStage:
        least = self.crops.warm_up_frames + 16
        if self.crops.frames < least:
            raise ValueError(
                f"crops.frames {self.crops.frames} must be at least {least}: {self.crops.warm_up_frames} of warm-up "
                "(crops.warm_up_frames) and 16 to compare"
            )
        return self


class JointStage(VocoderStage):
    """Training of student and vocoder together (`cmaudio.training.tasks.joint`).

    `generated_share` of the clips goes through both, the student's past its own after `rollout_passes`; with the others
    each is trained as before, the student by `objective`, which counts `objective_weight`.
    """

    generated_share: Annotated[float, Field(gt=0, le=1)] = 0.7
    rollout_passes: Annotated[int, Field(ge=0, le=32)] = 2
    objective: EdmSettings = EdmSettings(sigma_mean=2.0)
    objective_weight: Annotated[float, Field(ge=0)] = 1.0


class LoopSettings(_Strict):
    """How a run is computed, not what; it may change when a run is resumed."""

    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed"
    compile: bool = True
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: Annotated[int, Field(ge=1)] = 1
    nodes: Annotated[int, Field(ge=1)] = 1
    threads: Annotated[int, Field(ge=0, description="of the CPU, 0: as torch chooses")] = 0
    memory_gb: Annotated[float, Field(gt=0, description="most of a corpus kept on the device at once")] = 24.0
    window_steps: Annotated[int, Field(ge=1, description="steps on one window of a corpus that is larger")] = 1000
    checkpoint_minutes: Positive = 5.0
    keep: Annotated[int, Field(ge=1)] = 2
    log_steps: Annotated[int, Field(ge=1)] = 50
    picture_steps: Annotated[int, Field(ge=0, description="0: only at the end")] = 1000


class ExportSettings(_Strict):
    """What the model file says of itself, and how its weights are kept."""

    weights: Literal["float32", "int8"] = "float32"
    default_timbre: str | None = None
    licence: str | None = None
    limits: list[str] = []


class StartFrom(_Strict):
    """Weights that a stage begins with; timbres are matched by name.

    A .safetensors of an earlier run, a model file, or the name of an embedded model.
    """

    prosody: Path | None = None
    teacher: Path | None = None
    student: Path | None = None
    vocoder: Path | None = None
    discriminators: Path | None = None


class RunConfig(_Strict):
    """A run: teacher, student, vocoder, its tuning on the student's mels, both tuned together, then a model file.

    For a corpus with text an aligner comes first, unless the corpus has the times of its phonemes, and prosody last.

    A stage that is null is left out; a student without a teacher stage starts from `start_from`, or anew.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]
    description: str
    seed: Annotated[int, Field(ge=0)] = 1
    expected: Annotated[str, Field(description="figures that this run should reach, and where they come from")] = ""
    network: NetworkSettings = NetworkSettings()
    vocoder_network: VocoderNetworkSettings = VocoderNetworkSettings()
    prosody_network: ProsodyNetworkSettings = ProsodyNetworkSettings()
    sigma: NoiseLevels = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)
    start_from: StartFrom = StartFrom()
    aligner: SentenceStage | None = None
    teacher: ConsistencyStage | None = None
    student: ConsistencyStage | None = None
    vocoder: VocoderStage | None = None
    vocoder_tuning: VocoderStage | None = None
    joint: JointStage | None = None
    prosody: SentenceStage | None = None
    loop: LoopSettings = LoopSettings()
    export: ExportSettings = ExportSettings()

    @model_validator(mode="after")
    def _whole_blocks(self) -> RunConfig:
        for name in ("teacher", "student"):
            stage, k = getattr(self, name), self.network.block_frames
            if stage and (stage.crops.frames % k or stage.crops.frames < 3 * k):
                raise ValueError(
                    f"{name}.crops.frames {stage.crops.frames} must be a multiple of network.block_frames "
                    f"{self.network.block_frames}, and at least three of them"
                )
        if self.vocoder_tuning and not (self.student or self.start_from.student):
            raise ValueError("vocoder_tuning needs a student: give the stage or start_from.student")
        if self.joint and not (
            (self.student or self.start_from.student)
            and (self.vocoder or self.vocoder_tuning or self.start_from.vocoder)
        ):
            raise ValueError("joint needs a student and a vocoder: give their stages or start_from")
        return self


def read_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a configuration, with `section.key=value` overrides (the value in YAML) on top.

    Raises CmaudioError that names the key, what is wrong with its value, and for an unknown key the nearest known ones.
    """
    try:
        fields = yaml.safe_load(path.read_text())
    except OSError as error:
        raise CmaudioError(f"configuration {path} cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CmaudioError(f"configuration {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise CmaudioError(f"configuration {path} must be a mapping of sections, not {type(fields).__name__}")
    for override in overrides:
        _override(fields, override)
    try:
        return RunConfig.model_validate(fields)
    except ValidationError as error:
        raise CmaudioError(f"configuration {path}: " + "; ".join(_explain(e) for e in error.errors())) from error


def _override(fields: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key.strip():
        raise CmaudioError(f"override {override!r} must have the form section.key=value, e.g. student.steps=1000")
    *sections, last = key.strip().split(".")
    for section in sections:
        fields = fields.setdefault(section, {})
        if not isinstance(fields, dict):
            raise CmaudioError(f"override {override!r}: {section} is a value, not a section")
    try:
        fields[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise CmaudioError(f"override {override!r}: {value!r} is not valid YAML") from error


def _explain(error: Any) -> str:
    where = ".".join(map(str, error["loc"])) or "the whole"
    if error["type"] != "extra_forbidden":
        given = json.dumps(error["input"], default=str) if not isinstance(error["input"], dict) else "a section"
        return f"{where}: {error['msg']}" + ("" if error["type"] == "missing" else f" (given: {given[:80]})")
    known = _known_keys(error["loc"])
    return f"{where}: {unknown('key', str(error['loc'][-1]), known)}"


def _known_keys(location: Sequence[Any]) -> list[str]:
    """Keys of the section that an unknown key stands in."""
    schema = RunConfig.model_json_schema()
    node: Any = schema
    for part in location[:-1]:
        node = _resolve(node, schema)
        inside = [n.get("properties", {}) for n in node]
        node = next((p[part] for p in inside if part in p), None) or {}
    keys = {key for n in _resolve(node, schema) for key in n.get("properties", {})}
    return sorted(keys)


def _resolve(node: Any, schema: Any) -> list[Any]:
    """The objects a schema node may stand for: references followed, alternatives listed."""
    nodes = node if isinstance(node, list) else [node]
    found = []
    for n in nodes:
        if "$ref" in n:
            found += _resolve(schema["$defs"][n["$ref"].rsplit("/", 1)[-1]], schema)
        elif "anyOf" in n or "oneOf" in n:
            found += _resolve(n.get("anyOf") or n.get("oneOf"), schema)
        else:
            found.append(n)
    return found


def write_config(config: RunConfig, path: Path) -> None:
    """Every value, also those that were not given."""
    path.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Keys (dotted) that differ, but those of `loop` and `export`, which a resumed run may change."""
    return sorted(set(_flat(old)) ^ set(_flat(new)), key=str.lower)


def _flat(config: RunConfig) -> set[str]:
    rows: set[str] = set()

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            rows.add(f"{prefix} = {json.dumps(value)}")

    walk("", config.model_dump(mode="json", exclude={"loop", "export", "expected", "description"}))
    return rows
