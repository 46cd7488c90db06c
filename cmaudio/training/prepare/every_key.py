"""Every key of a SoundFont at a few velocities, for tables of how each key sounds (`cmaudio export --correction`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from cmaudio.model.correction import VELOCITIES
from cmaudio.training.prepare.notes import Note, key_range

_HELD_SECONDS, _SECONDS = 2.1, 2.2


def every_key(programs: Sequence[int], drum_keys: Sequence[int]) -> list[Note]:
    """Each key of each program, and each drum, once at each of `VELOCITIES`, held without a bend."""
    places: list[tuple[int | None, int]] = [(program, key) for program in programs for key in key_range(program)]
    places += [(None, key) for key in drum_keys]
    return [
        Note(f"every-key-{index:06d}", program, key, round(velocity), _HELD_SECONDS, _SECONDS)
        for index, ((program, key), velocity) in enumerate(product(places, VELOCITIES))
    ]
