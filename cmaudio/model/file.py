"""The model file: one zip with a manifest, ONNX graphs and a card. Loading is strict and runs no code from it.

manifest.json   see `cmaudio.model.manifest`; has a SHA-256 of every other member
card.md         data, licence, metrics, limits
card.json       the same for programs (`cmaudio.model.card_data`); missing in files of earlier versions
controls.onnx   controls, timbre -> conditioning
context.onnx    past frames, conditioning, sigma, state -> context, state
head.onnx       noisy block, sigma, context, conditioning -> denoised block
vocoder.onnx    frames, f0, state -> filters, state
prior.onnx      only in models with a prior: controls, timbre -> median, spread
prosody.onnx    only in text-to-speech models: phonemes, timbre -> duration, energy, pitch, voicing
corrections.npy only if a timbre has a correction (`cmaudio.model.correction`)
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError, nearest
from cmaudio.files.reading import expanded, is_file, is_folder, reason
from cmaudio.model.card_data import MEMBER as CARD_DATA
from cmaudio.model.card_data import CardData, parse_card_data, read_card
from cmaudio.model.correction import MEMBER as CORRECTIONS
from cmaudio.model.correction import decoded
from cmaudio.model.manifest import GRAPHS, Manifest, TimbreDefinition, parse_manifest, with_timbre
from cmaudio.model.pads import pad_keys
from cmaudio.model.timbres import Timbre, TimbreSpace
from cmaudio.signal.dsp import Mel, Stft

SUFFIX = ".cmaudio"
DEFAULT_MODEL = "instrument"
_VOICES = {"en": "english", "ru": "russian"}  # by their languages: "en", "en-us", "ru"
_MANIFEST_MAX_BYTES = 8 * 2**20
_FILE_MAX_BYTES = 512 * 2**20  # of all members together, unpacked
_MEMBERS_MAX = 64
_SHOWN_LETTERS = 200
_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass
class Model:
    """A loaded and checked model file.

    Attributes:
        path: of the file.
        manifest: of the model.
        card: its text.
        corrections: rows of the timbres' tables (`cmaudio.model.correction`); None if there are none.
    """

    path: Path
    manifest: Manifest
    card: str
    corrections: NDArray[np.int8] | None = field(default=None, repr=False, compare=False)
    _unused_graphs: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    _data: CardData | None = field(default=None, repr=False, compare=False)

    def graph(self, name: str) -> bytes:
        """The bytes of an ONNX graph: from memory the first time, later from the file, so that memory holds no copy."""
        if name in self._unused_graphs:
            return self._unused_graphs.pop(name)
        return _open(self.path, lambda archive: _checked(self.path, archive, f"{name}.onnx", self.manifest))

    @property
    def stored_data(self) -> CardData | None:
        """The content of `card.json`; None for files without it."""
        return self._data

    @cached_property
    def data(self) -> CardData:
        """The content of `card.json`, or of the card's tables for files without it."""
        return self._data or read_card(self.card)

    @cached_property
    def stft(self) -> Stft:
        return Stft(self.manifest.n_fft, self.manifest.hop_length)

    @cached_property
    def mel(self) -> Mel:
        m = self.manifest
        return Mel(m.sample_rate, m.n_fft, m.mel.bands, m.mel.f_min_hz, m.mel.f_max_hz, m.mel.floor)

    @cached_property
    def _timbre_space(self) -> TimbreSpace:
        return TimbreSpace(self.manifest)

    @property
    def channels(self) -> int:
        """How many channels an engine has by default."""
        return 1 if self.manifest.speech else 2

    @property
    def timbres(self) -> Mapping[str, TimbreDefinition]:
        """The timbres by name."""
        return self._timbre_space.by_name

    @cached_property
    def drums(self) -> Mapping[int, str]:
        """Key on the General MIDI percussion channel -> timbre name, for the drums or pads this model has."""
        return pad_keys(self.manifest.timbres)

    @cached_property
    def drum_keys(self) -> Mapping[str, int]:
        """The inverse of `drums`."""
        return {name: key for key, name in self.drums.items()}

    @cached_property
    def programs(self) -> Mapping[int, str]:
        """General MIDI program -> timbre name, for the programs this model has."""
        return {timbre.program: timbre.name for timbre in self.manifest.timbres if timbre.program is not None}

    def add_timbre(self, timbre: TimbreDefinition) -> None:
        """Add a timbre to this model in memory; the file stays as it is.

        Raises CmaudioError for a timbre whose name is taken, or that does not fit.
        """
        self.manifest = with_timbre(self.manifest, timbre)
        for cached in ("_timbre_space", "drums", "drum_keys", "programs"):
            self.__dict__.pop(cached, None)

    def timbre_vector(self, timbre: Timbre | None) -> NDArray[np.float64]:
        """A timbre's name, program, mix `{name: weight}`, a vector (Z,), or None for the default -> (Z,) vector.

        Raises CmaudioError for an unknown name or program (with the nearest ones) and for a vector of another length.
        """
        return self._timbre_space.vector(timbre)

    def timbre_name(self, name: str | int) -> str:
        """A timbre's name as the model writes it, by name or program.

        Raises CmaudioError for an unknown one (with the nearest ones).
        """
        return self._timbre_space.name(name)

    def has_pitch(self, vector: NDArray[np.float64]) -> bool:
        """Whether a point (Z,) of the timbre space is pitched: as its nearest named timbre is."""
        return self._timbre_space.has_pitch(vector)

    def nearest_timbre(self, vector: NDArray[np.float64]) -> TimbreDefinition:
        """The named timbre nearest to a point (Z,) of the timbre space."""
        return self._timbre_space.nearest(vector)

    def nearest_program(self, vector: NDArray[np.float64]) -> int:
        """General MIDI program of the nearest named timbre that has one, for a point (Z,); 0 if none has."""
        return self._timbre_space.nearest_program(vector)


def embedded_models() -> dict[str, Path]:
    """Name -> file of the models that come with cmaudio."""
    folder = Path(str(resources.files("cmaudio"))) / "models"
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def load_model(name_or_path: str | Path = DEFAULT_MODEL) -> Model:
    """Load an embedded model by name (a voice also by its language, e.g. "en"), or any model file by path.

    Raises CmaudioError when there is no such model, or the file is damaged, of another version, or inconsistent.
    """
    if not isinstance(name_or_path, str | Path):
        raise CmaudioError(f"a model is a name, a file or a loaded Model, not {type(name_or_path).__name__}")
    embedded = embedded_models()
    name = str(name_or_path)
    path = embedded.get(name, expanded(name_or_path))
    if not is_file(path):
        path = embedded.get(_VOICES.get(name.lower().partition("-")[0], name.lower()), path)
    if is_folder(path):
        path = _in_folder(path)
    if not is_file(path):
        names, near = ", ".join(embedded) or "none", nearest(name, embedded) if name else []
        near = [one for one in embedded if name and one.startswith(name.lower())] or near
        meant = f"; did you mean {near[0]!r}?" if near and name.lower() in near[0].lower() else ""
        shown = repr(name[:_SHOWN_LETTERS])
        raise CmaudioError(f"no model {shown}: give a {SUFFIX} file or an embedded model ({names}){meant}")
    return _open(path, lambda archive: _read(path, archive))


def _in_folder(folder: Path) -> Path:
    """The model file of a folder (of a run, or for the Hugging Face hub): the only one, or that of its name."""
    try:
        found = sorted(path for path in folder.glob(f"*{SUFFIX}") if is_file(path))
    except OSError as error:
        raise CmaudioError(f"folder {folder} cannot be read ({reason(error)}); choose another") from error
    own = [path for path in found if path.stem == folder.resolve().name]
    if len(own or found) == 1:
        return (own or found)[0]
    held = f"{len(found)} model files ({', '.join(path.name for path in found[:4])})" if found else "no model file"
    raise CmaudioError(f"folder {folder} holds {held}: give a folder with one, or a {SUFFIX} file")


T = TypeVar("T")


def _open(path: Path, read: Callable[[zipfile.ZipFile], T]) -> T:
    try:
        with zipfile.ZipFile(path) as archive:
            return read(archive)
    except OSError as error:
        raise CmaudioError(f"{path} cannot be read ({error.strerror}); put the file back or choose another") from error
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError, ValueError, KeyError) as error:
        raise CmaudioError(f"{path} is not a model file or is damaged ({error}); get or export it again") from error


def _read(path: Path, archive: zipfile.ZipFile) -> Model:
    _within_budget(path, archive)
    names = set(archive.namelist())
    _demand(path, names, {f"{graph}.onnx" for graph in GRAPHS} | {"card.md", "manifest.json"})
    manifest = parse_manifest(path, archive.read("manifest.json"))
    _demand(path, names, {f"{graph}.onnx" for graph in manifest.graphs})
    graphs = {graph: _checked(path, archive, f"{graph}.onnx", manifest) for graph in manifest.graphs}
    card = _checked(path, archive, "card.md", manifest).decode("utf-8", "replace")
    data = None
    if CARD_DATA in names:
        data = parse_card_data(path, _checked(path, archive, CARD_DATA, manifest))
    corrections = None
    if any(entries := [timbre.correction for timbre in manifest.timbres]):
        _demand(path, names, {CORRECTIONS})
        corrections = decoded(_checked(path, archive, CORRECTIONS, manifest), entries, manifest.mel.bands)
    return Model(path, manifest, card, corrections, graphs, data)


def _demand(path: Path, names: set[str], members: set[str]) -> None:
    missing = sorted(members - names)
    if missing:
        raise CmaudioError(f"{path} is not a cmaudio model file: it lacks {', '.join(missing)}")


def _checked(path: Path, archive: zipfile.ZipFile, name: str, manifest: Manifest) -> bytes:
    content = archive.read(name)
    if hashlib.sha256(content).hexdigest() != manifest.sha256.get(name):
        raise CmaudioError(
            f"{path} is damaged, or changed since it was loaded: {name} does not match its checksum; "
            "load it again, or get or export the model again"
        )
    return content


def _within_budget(path: Path, archive: zipfile.ZipFile) -> None:
    """Check the declared sizes before unpacking; `zipfile` reads no more of a member than its declared size."""
    members = archive.infolist()
    if len(members) > _MEMBERS_MAX:
        raise CmaudioError(f"{path} has {len(members)} members, more than {_MEMBERS_MAX}; this is not a model file")
    for member in members:
        limit = _MANIFEST_MAX_BYTES if member.filename in ("manifest.json", CARD_DATA) else _FILE_MAX_BYTES
        if member.file_size > limit:
            raise CmaudioError(f"{path}: {member.filename} is larger than {limit >> 20} MiB; this is not a model file")
        if member.compress_type not in _COMPRESSION:
            raise CmaudioError(
                f"{path}: {member.filename} is compressed by method {member.compress_type}; only stored and deflated "
                "members are read: export the model again"
            )
    if sum(member.file_size for member in members) > _FILE_MAX_BYTES:
        raise CmaudioError(f"{path} is larger than {_FILE_MAX_BYTES >> 20} MiB in total; this is not a model file")
