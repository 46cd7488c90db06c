"""The schema of a model file's manifest.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from cmaudio.errors import CmaudioError, explain
from cmaudio.model.correction import Correction
from cmaudio.model.deviation import PitchDeviation
from cmaudio.model.learned import Learned
from cmaudio.model.motion import MOST_FRAMES, Motion
from cmaudio.model.partials import NoPartials, Partials
from cmaudio.strict import Strict

FORMAT_VERSION = 1
GRAPHS = ("controls", "context", "head", "vocoder")
SPEECH_GRAPHS = ("prosody",)
PRIOR_GRAPHS = ("prior",)

Finite = Annotated[float, Field(ge=-1e6, le=1e6)]
Level = Annotated[float, Field(gt=0, le=1e4)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
FeatureKind = Literal["note-1", "note-2", "texture-1", "speech-1", "speech-2"]
Text = Annotated[str, Field(max_length=20_000)]
Coordinate = Annotated[float, Field(ge=-1, le=1)]


class MelDefinition(Strict):
    """Slaney mel bands over the causal STFT, natural log with a floor, normalised by mean and std per band."""

    bands: Annotated[int, Field(ge=8, le=512)]
    f_min_hz: Annotated[float, Field(ge=0)]
    f_max_hz: Annotated[float, Field(gt=0)]
    floor: Annotated[float, Field(ge=1e-12, le=1)]
    mean: list[Finite]
    std: list[Annotated[float, Field(ge=1e-3, le=100)]]

    @model_validator(mode="after")
    def _ordered(self) -> MelDefinition:
        if self.f_min_hz >= self.f_max_hz:
            raise ValueError(f"f_min_hz {self.f_min_hz} must be below f_max_hz {self.f_max_hz}")
        return self


class NoiseLevels(Strict):
    """Noise levels in the paper's symbols: one step starts at `max`; a second step starts at `fine`.

    `temperature` scales the noise that each step starts from; the network is still conditioned on the full
    level. This keeps a model whose steps draw samples (trained with the energy score) closer to likely values; one
    that predicts a mean is unaffected.
    """

    min: Level
    max: Level
    data: Level
    fine: Level
    context: Level
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0

    @property
    def start(self) -> float:
        """Standard deviation of the noise that the first step starts from."""
        return self.noise(self.max)

    def noise(self, level: float) -> float:
        """Standard deviation of the noise that is added for a step conditioned on this level."""
        return self.temperature * level


class ControlDefinition(Strict):
    """A named control as players see it."""

    name: Name
    unit: str
    min: Finite
    max: Finite
    default: Finite
    description: str


class TimbreDefinition(Strict):
    """A named point of the timbre space.

    Attributes:
        name: unique, whatever the case.
        vector: (Z,) the point.
        program: its General MIDI program, if it has one.
        key: its key on the percussion channel, if it has one.
        sustained: whether a held note keeps sounding.
        pitched: whether it has a pitch; otherwise all keys sound alike.
        partials: its partial frequencies; None for harmonics.
        deviation: of its pitch from the key; None if exact.
        place: x and y on the timbre map, -1..1 each; None if the map is computed from the vectors.
        takes: of a texture, the points of its recordings (`cmaudio.synthesis.texture_voice`).
        learned: its offset to the prior at its point.
        motion: the motion of a texture's spectrum about the median.
        correction: its table of what lies between the prior and its recordings.
    """

    name: Name
    vector: list[Finite]
    program: Annotated[int, Field(ge=0, le=127)] | None = None
    key: Annotated[int, Field(ge=0, le=127)] | None = None
    sustained: bool = False
    pitched: bool = True
    partials: Partials | None = None
    deviation: PitchDeviation | None = None
    place: tuple[Coordinate, Coordinate] | None = None
    takes: Annotated[list[list[Finite]], Field(max_length=1024)] = Field(default_factory=list)
    learned: Learned | None = None
    motion: Motion | None = None
    correction: Correction | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_earlier_entries(cls, data: Any) -> Any:
        """Earlier files have `events`, which `motion` has replaced, and corrections by parts of the spectrum."""
        if not isinstance(data, dict):
            return data
        correction = data.get("correction")
        by_parts = isinstance(correction, dict) and "colour_db" in correction
        return {k: v for k, v in data.items() if k != "events" and not (by_parts and k == "correction")}

    @model_validator(mode="after")
    def _bounded(self) -> TimbreDefinition:
        """Recordings of a one-shot are padded to the longest: one long and many short ones would take much memory."""
        if self.motion and not self.sustained and (frames := self.motion.strike_frames) > MOST_FRAMES:
            raise ValueError(
                f"the motion of one-shot {self.name!r} has {frames} frames, with all its recordings as long as the "
                f"longest; at most {MOST_FRAMES} are allowed"
            )
        return self

    @property
    def tonal(self) -> bool:
        """Whether it sounds at a pitch: keys of wind and applause change only their colour."""
        return self.pitched and not isinstance(self.partials, NoPartials)


class SpeechDefinition(Strict):
    """Language and phonemes of a text-to-speech model; the first phoneme is "", the silence before a text."""

    language: str
    symbols: Annotated[list[str], Field(min_length=2)]

    @model_validator(mode="after")
    def _distinct(self) -> SpeechDefinition:
        if self.symbols[0] or len(set(self.symbols)) != len(self.symbols):
            raise ValueError('symbols must start with "" and be distinct')
        return self


class Manifest(Strict):
    """Everything about a model except its weights."""

    format_version: Literal[1]
    name: Name
    description: Text
    licence: Text
    sample_rate: Annotated[int, Field(ge=8000, le=192000)]
    hop_length: Annotated[int, Field(ge=64, le=4096)]
    n_fft: Annotated[int, Field(ge=256, le=16384)]
    block_frames: Annotated[int, Field(ge=1, le=64)]
    mel: MelDefinition
    sigma: NoiseLevels
    features: FeatureKind
    controls: list[ControlDefinition]
    timbre_dims: Annotated[int, Field(ge=1, le=1024)]
    timbres: Annotated[list[TimbreDefinition], Field(min_length=1, max_length=4096)]
    default_timbre: str
    weights: str
    sha256: dict[str, str]
    speech: SpeechDefinition | None = None
    picture: Annotated[
        Literal["harmonic", "partials"],
        Field(description="how the networks see a note's pitch: as harmonics, or as the timbre's own partials"),
    ] = "harmonic"
    prior: Annotated[bool, Field(description="the networks sample the residual of the graph `prior`")] = False

    @property
    def block_samples(self) -> int:
        """Length of a block in samples."""
        return self.block_frames * self.hop_length

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop_length

    @property
    def learns(self) -> bool:
        """Whether it can have learned timbres: it needs a prior with a long enough clock."""
        return self.prior and self.features in ("note-2", "texture-1")

    @property
    def graphs(self) -> tuple[str, ...]:
        """Names of the graphs in the file."""
        return GRAPHS + (SPEECH_GRAPHS if self.speech else ()) + (PRIOR_GRAPHS if self.prior else ())

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        if self.n_fft != 4 * self.hop_length:
            raise ValueError(f"n_fft {self.n_fft} must be 4 x hop_length {self.hop_length}")
        for name, values in (("mean", self.mel.mean), ("std", self.mel.std)):
            if len(values) != self.mel.bands:
                raise ValueError(f"mel {name} has {len(values)} values for {self.mel.bands} bands")
        if self.features.startswith("speech") != (self.speech is not None):
            raise ValueError(f"features {self.features!r} and `speech` must go together")
        for timbre in self.timbres:
            if len(timbre.vector) != self.timbre_dims:
                raise ValueError(f"timbre {timbre.name!r} has {len(timbre.vector)} of {self.timbre_dims} dimensions")
        for timbre in self.timbres:
            if timbre.correction and not (self.prior and self.features == "note-2"):
                raise ValueError(f"timbre {timbre.name!r} has a correction, which this kind of model cannot play")
            if timbre.learned and not self.learns:
                raise ValueError(f"timbre {timbre.name!r} is learned, which this kind of model cannot play")
            if timbre.learned and any(spectrum.bands != self.mel.bands for spectrum in timbre.learned.spectra):
                raise ValueError(f"timbre {timbre.name!r} is learned in other bands than the model's {self.mel.bands}")
            if timbre.motion and timbre.motion.bands != self.mel.bands:
                raise ValueError(f"timbre {timbre.name!r} moves in other bands than the model's {self.mel.bands}")
        if self.mel.f_max_hz > self.sample_rate / 2:
            raise ValueError(f"mel f_max_hz {self.mel.f_max_hz} is above half of the sample rate {self.sample_rate}")
        if len({timbre.name.casefold() for timbre in self.timbres}) < len(self.timbres):
            raise ValueError("two timbres have the same name")
        if self.default_timbre not in {timbre.name for timbre in self.timbres}:
            raise ValueError(f"default timbre {self.default_timbre!r} is not among the timbres")
        return self


def with_timbre(manifest: Manifest, timbre: TimbreDefinition) -> Manifest:
    """The manifest with one more timbre. Raises CmaudioError if it does not fit, or its name is taken."""
    if any(timbre.name.casefold() == known.name.casefold() for known in manifest.timbres):
        raise CmaudioError(f"{manifest.name!r} has a timbre {timbre.name!r} already: choose another name")
    if timbre.correction:
        raise CmaudioError(f"timbre {timbre.name!r} has a correction, whose table is in another file: add it without")
    fields = dict(manifest) | {"timbres": [*manifest.timbres, timbre]}
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        raise CmaudioError(f"timbre {timbre.name!r} does not fit {manifest.name!r}: {explain(error)}") from error


def parse_manifest(path: Path, content: bytes) -> Manifest:
    """A manifest from its JSON.

    Raises CmaudioError, which names the file, for another format version and for content that does not fit the schema.
    """
    try:
        fields = json.loads(content)
        version = fields["format_version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CmaudioError(f"{path}: its manifest cannot be read ({error}); export the model again") from error
    if version != FORMAT_VERSION:
        raise CmaudioError(
            f"{path} has format version {version!r}, this cmaudio reads version {FORMAT_VERSION}: "
            "export the model again with this version, or update cmaudio"
        )
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "manifest"
        raise CmaudioError(f"{path}: {where}: {first['msg']}; export the model again") from error
