"""A timbre's noise balance raises the noise between its partials, once the note is past its attack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.noise_balance import NoiseBalance
from cmaudio.signal.dsp import Mel
from cmaudio.synthesis.noise_balance import NoiseBalances, noise_balances_of

MEL = Mel(sample_rate=48_000, n_fft=2048, bands=64, f_min_hz=0, f_max_hz=24_000, floor=1e-4)
DB = 20 / np.log(10)
BREATH = NoiseBalance(keys=[48, 72], offsets_db=[[0, 6, 12], [12, 18, 24]])


def timbre(name: str, place: float, noise: NoiseBalance | None) -> TimbreDefinition:
    return TimbreDefinition(name=name, vector=[place, 0.0], noise=noise)


TIMBRES = [timbre("breathy", -1, BREATH), timbre("pure", 1, None)]


def added_db(key: float, seconds: float = 1.0, place: float = -1.0) -> Any:
    """(F,) dB at an age of the note; None for none."""
    f0 = np.full((1, 4), 440 * 2 ** ((key - 69) / 12), np.float32)
    points = np.tile(np.array([place, 0], np.float32), (1, 4, 1))
    found = NoiseBalances(TIMBRES, MEL)(points, f0, np.full((1, 4), seconds))
    return None if found is None else found[0, 0] * DB


def test_it_follows_key_and_frequency() -> None:
    for key, lowest in ((40, 0), (48, 0), (60, 6), (72, 12), (90, 12)):
        found = added_db(key)
        assert (found[0], found[-1]) == pytest.approx((lowest, lowest + 12), abs=0.1)
        assert (np.diff(found) >= -1e-5).all()


def test_the_attack_is_left_as_it_is() -> None:
    shares = [added_db(60, seconds)[-1] / added_db(60)[-1] for seconds in (0.0, 0.03, 0.115, 0.2, 9.0)]
    assert shares == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-3)


def test_timbres_without_one_are_unchanged_and_those_between_have_a_part() -> None:
    assert added_db(60, place=1.0) is None
    assert 0 < added_db(60, place=-0.5)[-1] < added_db(60)[-1]
    assert noise_balances_of(TIMBRES[1:], MEL) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"keys": [48, 60], "offsets_db": [[0, 1]]}, "2 rows"),
        ({"keys": [48, 60], "offsets_db": [[0, 1], [0, 1, 2]]}, "same length"),
        ({"keys": [60, 48], "offsets_db": [[0, 1], [0, 1]]}, "rise"),
        ({"keys": [48], "offsets_db": [[0, 99]]}, "60"),
        ({"keys": [48], "offsets_db": [[0, float("nan")]]}, "finite"),
        ({"keys": [], "offsets_db": []}, "at least 1"),
    ],
)
def test_entries_that_make_no_sense_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        NoiseBalance(**fields)
