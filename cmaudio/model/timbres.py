"""The timbre space of a model: named points, their mixes, and nearest neighbours.

Shapes: Z timbre dimensions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmaudio.errors import CmaudioError, unknown
from cmaudio.model.manifest import Manifest, TimbreDefinition

Timbre = str | int | Mapping[str, float] | ArrayLike
"""A timbre's name, its General MIDI program (0 to 127, as in messages), a mix `{name: weight}`, or a vector (Z,)."""

_PROGRAMS = 128


class TimbreSpace:
    """The named timbres of a manifest, as points in a vector space."""

    def __init__(self, manifest: Manifest) -> None:
        self.by_name = {timbre.name: timbre for timbre in manifest.timbres}
        self._by_folded_name = {name.casefold(): timbre for name, timbre in self.by_name.items()}
        self._default, self._dims = manifest.default_timbre, manifest.timbre_dims
        self._timbres = manifest.timbres
        self._vectors = np.array([timbre.vector for timbre in manifest.timbres], np.float64)  # (timbres, Z)
        self._all_pitched = all(timbre.pitched for timbre in manifest.timbres)

    def vector(self, timbre: Timbre | None) -> NDArray[np.float64]:
        """The (Z,) vector of a timbre, or of the default timbre for None.

        Raises CmaudioError for an unknown name (with the nearest ones) and for a vector of another length.
        """
        if timbre is None:
            timbre = self._default
        if isinstance(timbre, str):
            return np.array(self._named(timbre).vector)
        if isinstance(timbre, int | np.integer) and not isinstance(timbre, bool | np.bool_):
            return np.array(self._of_program(int(timbre)).vector)
        if isinstance(timbre, Mapping):
            return self._mixed(timbre)
        try:
            vector = np.asarray(timbre, np.float64)
        except (TypeError, ValueError):
            vector = np.array(np.nan)
        if vector.shape != (self._dims,) or not np.isfinite(vector).all():
            raise CmaudioError(
                f"a timbre is a name, a General MIDI program, a mix {{name: weight}} or {self._dims} finite numbers, "
                f"not {str(timbre)[:80]}"
            )
        return vector

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
        return np.square(self._vectors - vector).sum(-1)

    def _mixed(self, mix: Mapping[str, float]) -> NDArray[np.float64]:
        try:
            total = float(sum(mix.values()))
        except TypeError:
            total = 0.0
        if not np.isfinite(total) or abs(total) < 1e-9:
            raise CmaudioError(f"the weights of a timbre mix must be numbers with a non-zero sum, not {dict(mix)}")
        return np.sum([np.array(self._named(name).vector) * (weight / total) for name, weight in mix.items()], axis=0)

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
