"""The model file: one zip with a manifest, ONNX graphs and a card. Loading is strict and runs no code from it.

manifest.json   what this module's `Manifest` describes, with a SHA-256 of every other member
card.md         data, licence, figures, limits
controls.onnx   controls, timbre -> conditioning
context.onnx    finished frames, conditioning, sigma, state -> context, state
head.onnx       noisy block, sigma, context, conditioning -> denoised block
vocoder.onnx    frames, f0, state -> filters, state
prosody.onnx    of models that read text: phonemes, timbre -> duration, energy, pitch, voicing
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cmaudio.errors import CmaudioError, unknown
from cmaudio.signal.dsp import Mel, Stft

FORMAT_VERSION = 1
SUFFIX = ".cmaudio"
GRAPHS = ("controls", "context", "head", "vocoder")
SPEECH_GRAPHS = ("prosody",)
DEFAULT_MODEL = "instrument"
_MEMBER_MAX_BYTES = 512 * 2**20

Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MelDefinition(_Strict):
    """Slaney mel bands over the causal STFT, natural log with a floor, normalised by mean and std a band."""

    bands: Annotated[int, Field(ge=8, le=512)]
    f_min_hz: Annotated[float, Field(ge=0)]
    f_max_hz: Annotated[float, Field(gt=0)]
    floor: Annotated[float, Field(gt=0)]
    mean: list[Finite]
    std: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]]


class NoiseLevels(_Strict):
    """Noise levels in the paper's symbols: one step starts at `max`; `fine` is where a second step starts again.

    `temperature` scales the noise that each step starts from, its level being told as it is all the same. A model whose
    steps draw (trained by the energy score) then keeps closer to what is likely; to a mean it makes no difference.
    """

    min: Annotated[float, Field(gt=0)]
    max: Annotated[float, Field(gt=0)]
    data: Annotated[float, Field(gt=0)]
    fine: Annotated[float, Field(gt=0)]
    context: Annotated[float, Field(gt=0)]
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0

    @property
    def start(self) -> float:
        """Standard deviation of the noise that the first step starts from."""
        return self.noise(self.max)

    def noise(self, level: float) -> float:
        """Standard deviation of the noise that is added for a step that is told of this level."""
        return self.temperature * level


class ControlDefinition(_Strict):
    """One named control as a player meets it."""

    name: str
    unit: str
    min: Finite
    max: Finite
    default: Finite
    description: str


class TimbreDefinition(_Strict):
    """A named point of the timbre space.

    `program` is its General MIDI program, `key` its key on the percussion channel, where it has one; `sustained`
    whether it holds a note; `pitched` whether it has a pitch: without one all keys sound alike.
    """

    name: str
    vector: list[Finite]
    program: Annotated[int, Field(ge=0, le=127)] | None = None
    key: Annotated[int, Field(ge=0, le=127)] | None = None
    sustained: bool = False
    pitched: bool = True


class SpeechDefinition(_Strict):
    """What a model that reads text reads: its language and its phonemes; the first is "", the silence before a text."""

    language: str
    symbols: Annotated[list[str], Field(min_length=2)]

    @model_validator(mode="after")
    def _distinct(self) -> SpeechDefinition:
        if self.symbols[0] or len(set(self.symbols)) != len(self.symbols):
            raise ValueError('symbols must begin with "" and differ from each other')
        return self


class Manifest(_Strict):
    """Everything about a model but its weights."""

    format_version: Literal[1]
    name: str
    description: str
    licence: str
    sample_rate: Annotated[int, Field(ge=8000, le=192000)]
    hop_length: Annotated[int, Field(ge=64)]
    n_fft: Annotated[int, Field(ge=256)]
    block_frames: Annotated[int, Field(ge=1, le=64)]
    mel: MelDefinition
    sigma: NoiseLevels
    features: Literal["note-1", "speech-1", "speech-2"]
    controls: list[ControlDefinition]
    timbre_dims: Annotated[int, Field(ge=1)]
    timbres: Annotated[list[TimbreDefinition], Field(min_length=1)]
    default_timbre: str
    weights: str
    sha256: dict[str, str]
    speech: SpeechDefinition | None = None

    @property
    def block_samples(self) -> int:
        """Of one block."""
        return self.block_frames * self.hop_length

    @property
    def graphs(self) -> tuple[str, ...]:
        """Names of the graphs in the file."""
        return GRAPHS + (SPEECH_GRAPHS if self.speech else ())

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        if self.n_fft != 4 * self.hop_length:
            raise ValueError(f"n_fft {self.n_fft} must be 4 x hop_length {self.hop_length}")
        for name, values in (("mean", self.mel.mean), ("std", self.mel.std)):
            if len(values) != self.mel.bands:
                raise ValueError(f"mel {name} has {len(values)} values for {self.mel.bands} bands")
        if (self.features != "note-1") != (self.speech is not None):
            raise ValueError(f"features {self.features!r} and `speech` must go together")
        for timbre in self.timbres:
            if len(timbre.vector) != self.timbre_dims:
                raise ValueError(f"timbre {timbre.name!r} has {len(timbre.vector)} of {self.timbre_dims} dimensions")
        if self.default_timbre not in {timbre.name for timbre in self.timbres}:
            raise ValueError(f"default timbre {self.default_timbre!r} is not among the timbres")
        return self


Timbre = str | Mapping[str, float] | ArrayLike


@dataclass(frozen=True)
class Model:
    """A loaded and checked model file."""

    path: Path
    manifest: Manifest
    card: str
    _unused_graphs: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def graph(self, name: str) -> bytes:
        """The bytes of an ONNX graph. Handed out once from memory, then read again: a playing engine holds no copy."""
        if name in self._unused_graphs:
            return self._unused_graphs.pop(name)
        return _open(self.path, lambda archive: _checked(self.path, archive, f"{name}.onnx", self.manifest))

    @cached_property
    def stft(self) -> Stft:
        return Stft(self.manifest.n_fft, self.manifest.hop_length)

    @cached_property
    def mel(self) -> Mel:
        m = self.manifest
        return Mel(m.sample_rate, m.n_fft, m.mel.bands, m.mel.f_min_hz, m.mel.f_max_hz, m.mel.floor)

    @cached_property
    def timbres(self) -> Mapping[str, TimbreDefinition]:
        return {timbre.name: timbre for timbre in self.manifest.timbres}

    @cached_property
    def drums(self) -> Mapping[int, str]:
        """Key on the General MIDI percussion channel -> timbre name, for the drums this model has."""
        return {timbre.key: timbre.name for timbre in self.manifest.timbres if timbre.key is not None}

    @cached_property
    def programs(self) -> Mapping[int, str]:
        """General MIDI program -> timbre name, for the programs this model has."""
        return {timbre.program: timbre.name for timbre in self.manifest.timbres if timbre.program is not None}

    def timbre_vector(self, timbre: Timbre | None) -> NDArray[np.float64]:
        """A timbre's name, a mix `{name: weight}`, a vector (Z,), or None for the default -> (Z,) vector.

        Raises CmaudioError for an unknown name (with the nearest ones) and for a vector of another length.
        """
        if timbre is None:
            timbre = self.manifest.default_timbre
        if isinstance(timbre, str):
            return np.array(self._named(timbre).vector)
        if isinstance(timbre, Mapping):
            return self._mixed(timbre)
        try:
            vector = np.asarray(timbre, np.float64)
        except (TypeError, ValueError):
            vector = np.array(np.nan)
        if vector.shape != (self.manifest.timbre_dims,) or not np.isfinite(vector).all():
            raise CmaudioError(
                f"a timbre is a name, a mix {{name: weight}} or {self.manifest.timbre_dims} finite numbers, "
                f"not {str(timbre)[:80]}"
            )
        return vector

    def has_pitch(self, vector: NDArray[np.float64]) -> bool:
        """Whether a point (Z,) of the timbre space has a pitch: as the named timbre has that lies nearest to it."""
        if all(timbre.pitched for timbre in self.manifest.timbres):
            return True
        return self.manifest.timbres[int(self._distances(vector).argmin())].pitched

    def nearest_program(self, vector: NDArray[np.float64]) -> int:
        """General MIDI program of the named timbre nearest to a point (Z,), of those that have one; 0 without any."""
        programs = [timbre.program for timbre in self.manifest.timbres]
        order = np.argsort(self._distances(vector), kind="stable").tolist()
        return next((program for i in order if (program := programs[i]) is not None), 0)

    @cached_property
    def _vectors(self) -> NDArray[np.float64]:
        """(timbres, Z); kept, because every note that is struck may ask for the nearest."""
        return np.array([timbre.vector for timbre in self.manifest.timbres], np.float64)

    def _distances(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared, from a point (Z,) to every timbre."""
        return np.square(self._vectors - vector).sum(-1)

    def _mixed(self, mix: Mapping[str, float]) -> NDArray[np.float64]:
        try:
            total = float(sum(mix.values()))
        except TypeError:
            total = 0.0
        if not np.isfinite(total) or abs(total) < 1e-9:
            raise CmaudioError(
                f"the weights of a timbre mix must be numbers that add up to something but zero, not {dict(mix)}"
            )
        return np.sum([np.array(self._named(name).vector) * (weight / total) for name, weight in mix.items()], axis=0)

    def _named(self, name: str) -> TimbreDefinition:
        key = str(name).strip().lower()
        found = self.timbres.get(key)
        if found is None:
            raise CmaudioError(f"{unknown('timbre', str(name), self.timbres)} (`cmaudio models inspect` lists all)")
        return found


def embedded_models() -> dict[str, Path]:
    """Name -> file of the models that come with cmaudio."""
    folder = Path(str(resources.files("cmaudio"))) / "models"
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def load_model(name_or_path: str | Path = DEFAULT_MODEL) -> Model:
    """Load an embedded model by name or any model file by path.

    Raises CmaudioError when there is no such model, or the file is damaged, of another version, or inconsistent.
    """
    embedded = embedded_models()
    path = embedded.get(str(name_or_path), Path(name_or_path))
    if not path.is_file():
        names = ", ".join(embedded) or "none"
        raise CmaudioError(f"no model {str(name_or_path)!r}: give a {SUFFIX} file or an embedded model ({names})")
    return _open(path, lambda archive: _read(path, archive))


T = TypeVar("T")


def _open(path: Path, read: Callable[[zipfile.ZipFile], T]) -> T:
    try:
        with zipfile.ZipFile(path) as archive:
            return read(archive)
    except OSError as error:
        raise CmaudioError(f"{path} cannot be read ({error.strerror}); put the file back or choose another") from error
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise CmaudioError(f"{path} is not a model file or is damaged ({error}); get or export it again") from error


def _read(path: Path, archive: zipfile.ZipFile) -> Model:
    names = set(archive.namelist())
    _demand(path, names, {f"{graph}.onnx" for graph in GRAPHS} | {"card.md", "manifest.json"})
    manifest = _manifest(path, _member(path, archive, "manifest.json"))
    _demand(path, names, {f"{graph}.onnx" for graph in manifest.graphs})
    graphs = {graph: _checked(path, archive, f"{graph}.onnx", manifest) for graph in manifest.graphs}
    card = _checked(path, archive, "card.md", manifest).decode("utf-8", "replace")
    return Model(path, manifest, card, graphs)


def _demand(path: Path, names: set[str], members: set[str]) -> None:
    missing = sorted(members - names)
    if missing:
        raise CmaudioError(f"{path} is not a cmaudio model file: {', '.join(missing)} missing in it")


def _checked(path: Path, archive: zipfile.ZipFile, name: str, manifest: Manifest) -> bytes:
    content = _member(path, archive, name)
    if hashlib.sha256(content).hexdigest() != manifest.sha256.get(name):
        raise CmaudioError(
            f"{path} is damaged, or changed since it was loaded: {name} does not match its checksum; "
            "load it again, or get or export the model again"
        )
    return content


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _MEMBER_MAX_BYTES:
        raise CmaudioError(f"{path}: {name} claims more than {_MEMBER_MAX_BYTES >> 20} MiB; this is no model file")
    return archive.read(name)


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        fields = json.loads(content)
        version = fields["format_version"]
    except (ValueError, TypeError, KeyError) as error:
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


def save_model(path: Path, manifest: Manifest, graphs: Mapping[str, bytes], card: str) -> None:
    """Write a model file atomically; checksums are computed here. Raises CmaudioError where it cannot be written."""
    content = {f"{name}.onnx": graphs[name] for name in manifest.graphs} | {"card.md": card.encode()}
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    fields = manifest.model_copy(update={"sha256": sums}).model_dump(mode="json")
    partial = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in {"manifest.json": json.dumps(fields, indent=1).encode(), **content}.items():
                member = zipfile.ZipInfo(name)  # a fixed date: the same content gives the same file
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, data)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise CmaudioError(f"{path} cannot be written ({error.strerror}); make room or choose another place") from error
