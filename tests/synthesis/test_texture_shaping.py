"""Controls of textures change nothing where they are typical, and the same way everywhere else."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.synthesis.texture_features import TEXTURE_CONTROLS
from cmaudio.synthesis.texture_shaping import flicker_of, resonance_of, rough_gain, seen_by_networks, speed_of

TYPICAL = 0.5
GAIN = np.array([[0.0, 0.5, 2.0]], np.float32)


def controls(**values: float) -> np.ndarray:
    """(1, 1, C)"""
    return np.array([[[values.get(name, TYPICAL) for name in TEXTURE_CONTROLS]]])


def over(control: str) -> np.ndarray:
    """(1, 9, C), from 0 to 1."""
    return np.concatenate([controls(**{control: float(value)}) for value in np.linspace(0, 1, 9)], 1)


def test_typical_values_change_nothing() -> None:
    np.testing.assert_array_equal(seen_by_networks(controls()), controls())
    for found, unchanged in ((resonance_of, 0), (speed_of, 1), (flicker_of, 1)):
        np.testing.assert_array_equal(found(controls()), unchanged)
    assert rough_gain(controls(), None) is None
    np.testing.assert_array_equal(rough_gain(controls(), GAIN), GAIN[:, None])


@pytest.mark.parametrize("control", TEXTURE_CONTROLS)
def test_only_size_changes_what_the_networks_see_of_another_control(control: str) -> None:
    seen, asked = seen_by_networks(over(control)), over(control)
    changed = [name for name, same in zip(TEXTURE_CONTROLS, (seen == asked).all((0, 1)), strict=True) if not same]
    assert changed == (["sharpness"] if control == "size" else [])


def test_large_sounds_are_duller_and_slower() -> None:
    sharpness = seen_by_networks(over("size"))[0, :, TEXTURE_CONTROLS.index("sharpness")]
    assert (np.diff(sharpness) < 0).all()
    assert (np.diff(speed_of(over("size"))[0]) < 0).all()
    assert seen_by_networks(controls(size=1.0, sharpness=0.0)).min() == 0


def test_tonal_sounds_have_higher_peaks() -> None:
    assert (np.diff(resonance_of(over("tonality"))[0]) > 0).all()


@pytest.mark.parametrize("gain", [GAIN, None], ids=["with motion", "without"])
def test_rough_sounds_flicker_more(gain: np.ndarray | None) -> None:
    found = rough_gain(over("roughness"), gain)
    assert found is not None
    moved = np.diff(found[0], axis=0)
    assert (moved >= 0).all()
    assert (moved[4:] > 0).all(), "also in bands of which motion leaves nothing"
    assert (np.diff(flicker_of(over("roughness"))[0]) > 0).all()
