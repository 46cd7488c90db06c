"""Controls of textures change nothing where they are typical, and the same way everywhere else."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.synthesis.texture_features import TEXTURE_CONTROLS
from cmaudio.synthesis.texture_shaping import (
    flicker_of,
    resonance_of,
    seen_by_networks,
    smooth_gain,
    speed_of,
    with_flicker,
)

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
    assert smooth_gain(controls(), None) is None
    for roughness in (0.5, 1.0):
        np.testing.assert_array_equal(smooth_gain(controls(roughness=roughness), GAIN), GAIN[:, None])


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
def test_smooth_sounds_flicker_less(gain: np.ndarray | None) -> None:
    found = smooth_gain(over("roughness"), gain)
    assert found is not None
    whole = 1 if gain is None else gain
    np.testing.assert_allclose(found[0, 0], np.broadcast_to(whole / 2 * np.ones(1), (1, found.shape[2]))[0])
    np.testing.assert_allclose(found[0, 4:], np.broadcast_to(whole, (5, found.shape[2])))
    assert (np.diff(flicker_of(over("roughness"))[0]) > 0).all()


def flicker(roughness: float, frames: np.ndarray, seed: int = 1) -> np.ndarray:
    """(K, M) of a motion that stands still."""
    rows = np.repeat(controls(roughness=roughness)[0], len(frames), 0)
    return with_flicker(np.zeros((len(frames), 64)), frames, rows, seed)


def test_bands_that_motion_holds_still_flicker_too() -> None:
    frames = np.arange(200)
    spreads = [flicker(value, frames).std() for value in (0.0, 0.5, 0.75, 1.0)]
    assert spreads[:2] == [0, 0]
    np.testing.assert_allclose(spreads[2:], [1.5, 3.0], rtol=0.05)
    assert not flicker(1.0, np.arange(-4, 0)).any()


def test_flicker_is_the_same_whatever_the_blocks() -> None:
    whole = flicker(1.0, np.arange(8))
    np.testing.assert_array_equal(
        np.concatenate([flicker(1.0, part) for part in np.split(np.arange(8), [1, 4])]), whole
    )
    assert not np.array_equal(flicker(1.0, np.arange(8), seed=2), whole)
