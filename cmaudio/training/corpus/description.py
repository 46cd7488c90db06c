"""corpus.json, the strictly checked description of a prepared corpus; written last, beside the shards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place, whole_file
from cmaudio.files.reading import is_file, read_file
from cmaudio.model.deviation import PitchDeviation
from cmaudio.model.partials import Partials, in_picture
from cmaudio.signal.dsp import Mel, Stft
from cmaudio.strict import Strict
from cmaudio.training.corpus.clip import Signal

FILE_NAME = "corpus.json"
FORMAT_VERSION = 1
_MAX_BYTES = 256 * 2**20
Split = Literal["train", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "held_out")


class SignalDefinition(Strict):
    """Sample rate, hop and mel of a corpus; frames are 4 hops long, so that overlap-add is exact."""

    sample_rate: Annotated[int, Field(ge=8000, le=192000)] = 48_000
    hop_length: Annotated[int, Field(ge=64)] = 512
    bands: Annotated[int, Field(ge=8, le=512)] = 128
    f_min_hz: Annotated[float, Field(ge=0)] = 20.0
    f_max_hz: Annotated[float, Field(gt=0)] = 24_000.0
    floor: Annotated[float, Field(gt=0)] = 3e-4

    @model_validator(mode="after")
    def _band_limits(self) -> SignalDefinition:
        if not self.f_min_hz < self.f_max_hz <= self.sample_rate / 2:
            raise ValueError(f"f_max_hz {self.f_max_hz:g} must lie between f_min_hz and half the sample rate")
        return self

    @property
    def n_fft(self) -> int:
        return 4 * self.hop_length

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop_length

    def signal(self) -> Signal:
        """The transforms it defines."""
        stft = Stft(self.n_fft, self.hop_length)
        return Signal(stft, Mel(self.sample_rate, self.n_fft, self.bands, self.f_min_hz, self.f_max_hz, self.floor))


class CorpusTimbre(Strict):
    """A timbre of the corpus, with the data needed to play it.

    `program` (0..127) is its General MIDI program, `key` (0..127) its key on the percussion channel, if it has one;
    `partials`: their frequencies, None for harmonics; `deviation`: of its pitch from the key.
    """

    name: str
    pitched: bool
    sustained: bool
    program: Annotated[int, Field(ge=0, le=127)] | None = None
    key: Annotated[int, Field(ge=0, le=127)] | None = None
    clips: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    partials: Partials | None = None
    deviation: PitchDeviation | None = None


class SplitDescription(Strict):
    """Counts of one split; its shards are the numbered files in the folder of that name."""

    clips: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]
    shards: Annotated[int, Field(ge=0)]


class Credit(Strict):
    """An author whose recordings a timbre was made from, and their licence."""

    timbre: str
    licence: str
    author: str


class TextureScales(Strict):
    """Scales that turn the measures of a corpus of textures into controls (`cmaudio.training.corpus.texture_controls`).

    `typical` is the median of each measure by timbre, `quantiles` those of the distances from it, by measure; `takes`
    are points of the recordings, by timbre and recording; `octaves` is the range of `size`, in both directions.
    """

    typical: dict[str, dict[str, float]]
    quantiles: dict[str, list[float]]
    takes: dict[str, dict[str, list[float]]]
    octaves: Annotated[float, Field(gt=0)]


class CorpusDescription(Strict):
    """A corpus. Networks are trained on the stored audio times `gain`, which the stored log-mel includes.

    `symbols` are its phonemes, if it has a language; `textures` is present for a corpus of textures.
    """

    format_version: Literal[1] = 1
    name: str
    source: str
    licence: str
    signal: SignalDefinition
    gain: Annotated[float, Field(gt=0)] = 1.0
    timbres: Annotated[list[CorpusTimbre], Field(min_length=1)]
    splits: dict[Split, SplitDescription]
    settings: dict[str, str | int | float | bool | None]
    cmaudio: str
    language: str | None = None
    symbols: list[str] = Field(default_factory=list)
    credits: list[Credit] = Field(default_factory=list)
    textures: TextureScales | None = None

    @property
    def picture(self) -> Literal["harmonic", "partials"]:
        """How networks trained on it see a pitch (`cmaudio.model.manifest`)."""
        return "partials" if any(in_picture(timbre.partials) for timbre in self.timbres) else "harmonic"


def read_description(folder: Place) -> CorpusDescription:
    """Raises CmaudioError if the folder holds no finished corpus, or one of another version."""
    path = folder / FILE_NAME
    if not is_file(path):
        raise CmaudioError(
            f"{folder} holds no finished corpus (there is no {FILE_NAME}); make one with `cmaudio prepare`, "
            "or re-run `cmaudio prepare` to resume one that was interrupted"
        )
    try:
        return CorpusDescription.model_validate_json(read_file(path, "corpus", _MAX_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or FILE_NAME
        raise CmaudioError(f"{path}: {where}: {first['msg']}; prepare the corpus again with this version") from error


def write_description(folder: Place, description: CorpusDescription) -> None:
    """Inverse of `read_description`."""
    with whole_file(folder / FILE_NAME) as temporary:
        temporary.write_text(description.model_dump_json(indent=1), encoding="utf-8")
