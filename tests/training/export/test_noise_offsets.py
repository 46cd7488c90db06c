"""What a timbre lacks of noise is found by key."""

from __future__ import annotations

from itertools import product

import numpy as np

from cmaudio.model.correction import VELOCITIES
from cmaudio.training.export.key_grid import KeyGrid
from cmaudio.training.export.noise_offsets import noise_offsets
from cmaudio.training.export.spectrum_parts import PARTS

GRID = KeyGrid(48, 12)
PLACES = np.array(list(product(range(48, 60), VELOCITIES)))


def test_what_a_timbre_lacks_is_found_by_key() -> None:
    recorded = [np.full(PARTS, 0.01 * 10 ** ((pitch - 48) / 10)) for pitch, _ in PLACES]
    found = noise_offsets(GRID, PLACES, recorded, [np.full(PARTS, 0.01)] * len(PLACES))
    np.testing.assert_allclose(found, np.broadcast_to(np.arange(12.0)[:, None], found.shape), atol=1.5)


def test_nothing_known_changes_nothing() -> None:
    nothing = [np.full(PARTS, np.nan)] * len(PLACES)
    np.testing.assert_array_equal(noise_offsets(GRID, PLACES, nothing, nothing), 0)
