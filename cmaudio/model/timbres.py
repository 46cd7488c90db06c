"""The timbre space of a model: named points, their mixes, and nearest neighbours.

Each learned timbre has its own axis after the model's dimensions, on which it lies at 1 and all others at 0. So its
share in a mix is its coordinate there, and its offsets apply only in mixes that contain it. A vector made before a
timbre was learned lacks its axis, which stands for 0.

Shapes: Z timbre dimensions, those of learned timbres included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmaudio.errors import CmaudioError, unknown
from cmaudio.model.manifest import Manifest, TimbreDefinition

Timbre = str | int | Mapping[str, float] | ArrayLike
"""A timbre's name, its General MIDI program (0 to 127, as in messages), a mix `{name: weight}`, or a vector (Z,)."""

_PROGRAMS = 128


def full_vectors(timbres: Sequence[TimbreDefinition]) -> NDArray[np.float64]:
    """(timbres, Z) points of a model's timbres, including the axes of learned ones."""
    points = np.array([timbre.vector for timbre in timbres], np.float64)
    learned = [i for i, timbre in enumerate(timbres) if timbre.learned]
    return np.concatenate([points, np.eye(len(timbres))[:, learned]], -1)


def fitted(vectors: NDArray[np.float64], dims: int) -> NDArray[np.float64]:
    """(..., Z') -> (..., dims): missing dimensions are 0, and those beyond `dims` are dropped."""
    missing = dims - vectors.shape[-1]
    if missing <= 0:
        return vectors[..., :dims]
    return np.concatenate([vectors, np.zeros((*vectors.shape[:-1], missing))], -1)


class TimbreSpace:
    """The named timbres of a manifest, as points in a vector space."""

    def __init__(self, manifest: Manifest) -> None:
        self.by_name = {timbre.name: timbre for timbre in manifest.timbres}
        self._by_folded_name = {name.casefold(): timbre for name, timbre in self.by_name.items()}
        self._default, self._least_dims = manifest.default_timbre, manifest.timbre_dims
        self._timbres = manifest.timbres
        self._vectors = full_vectors(manifest.timbres)  # (timbres, Z)
        self._dims = self._vectors.shape[1]
        self._rows = {timbre.name: i for i, timbre in enumerate(manifest.timbres)}
        self._all_pitched = all(timbre.pitched for timbre in manifest.timbres)

    def vector(self, timbre: Timbre | None) -> NDArray[np.float64]:
        """The (Z,) vector of a timbre, or of the default timbre for None.

        Raises CmaudioError for an unknown name (with the nearest ones) and for a vector of another length.
        """
        if timbre is None:
            timbre = self._default
        if isinstance(timbre, str):
            return self._point(self._named(timbre))
        if isinstance(timbre, int | np.integer) and not isinstance(timbre, bool | np.bool_):
            return self._point(self._of_program(int(timbre)))
        if isinstance(timbre, Mapping):
            return self._mixed(timbre)
        try:
            vector = np.asarray(timbre, np.float64)
        except (TypeError, ValueError):
            vector = np.array(np.nan)
        if vector.ndim != 1 or not self._least_dims <= len(vector) <= self._dims or not np.isfinite(vector).all():
            raise CmaudioError(
                f"a timbre is a name, a General MIDI program, a mix {{name: weight}} or {self._dims} finite numbers, "
                f"not {str(timbre)[:80]}"
            )
        return fitted(vector, self._dims)

    def name(self, name: str | int) -> str:
        """The name of a timbre as the model writes it, by name or program; case and spaces do not matter.

        Raises CmaudioError for an unknown one (with the nearest).
        """
        return self._named(name).name

    def has_pitch(self, vector: NDArray[np.float64]) -> bool:
        """Whether a point (Z,) is pitched: as its nearest named timbre is."""
        return self._all_pitched or self.nearest(vector).pitched

    def nearest(self, vector: NDArray[np.float64]) -> TimbreDefinition:
        """The named timbre nearest to a point (Z,)."""
        return self._timbres[int(self._distances(vector).argmin())]

    def nearest_program(self, vector: NDArray[np.float64]) -> int:
        """General MIDI program of the nearest named timbre that has one, for a point (Z,); 0 if none has."""
        programs = [timbre.program for timbre in self._timbres]
        order = np.argsort(self._distances(vector), kind="stable").tolist()
        return next((program for i in order if (program := programs[i]) is not None), 0)

    def _distances(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared distances from a point (Z,) to every timbre."""
        return np.square(self._vectors - fitted(vector, self._dims)).sum(-1)

    def _mixed(self, mix: Mapping[str, float]) -> NDArray[np.float64]:
        try:
            total = float(sum(mix.values()))
        except TypeError:
            total = 0.0
        if not np.isfinite(total) or abs(total) < 1e-9:
            raise CmaudioError(f"the weights of a timbre mix must be numbers with a non-zero sum, not {dict(mix)}")
        return np.sum([self._point(self._named(name)) * (weight / total) for name, weight in mix.items()], axis=0)

    def _point(self, timbre: TimbreDefinition) -> NDArray[np.float64]:
        return self._vectors[self._rows[timbre.name]].copy()

    def _named(self, name: str | int) -> TimbreDefinition:
        plain = str(name).strip()
        found = self._by_folded_name.get(plain.casefold())
        if found is None and re.fullmatch(r"\d{1,3}", plain, re.ASCII):
            return self._of_program(int(plain))
        if found is None:
            raise CmaudioError(f"{unknown('timbre', str(name), self.by_name)} (`cmaudio models inspect` lists all)")
        return found

    def _of_program(self, program: int) -> TimbreDefinition:
        found = next((timbre for timbre in self._timbres if timbre.program == program), None)
        if found is not None:
            return found
        programs = sorted(timbre.program for timbre in self._timbres if timbre.program is not None)
        if not programs:
            raise CmaudioError(
                f"timbre {program}: this model has no General MIDI programs; name one of its timbres, such as "
                f"{self._default!r} (`cmaudio models inspect` lists all)"
            )
        if not 0 <= program < _PROGRAMS:
            raise CmaudioError(f"timbre {program}: General MIDI programs are 0 to {_PROGRAMS - 1}")
        near = min(programs, key=lambda each: abs(each - program))
        raise CmaudioError(f"timbre {program}: this model lacks this General MIDI program; the nearest is {near}")
