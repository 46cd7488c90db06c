"""Random gestures of the notes that a SoundFont plays."""

from __future__ import annotations

import numpy as np

from cmaudio.soundfont.notes import LEAD_SAMPLES, STEP_SAMPLES, draw_gesture


def test_gestures_are_within_their_ranges_and_repeat() -> None:
    for seed in range(64):
        gesture = draw_gesture(seed)
        assert 0 <= gesture.program < 96
        assert 16 <= gesture.velocity <= 127
        assert (24 if 32 <= gesture.program < 40 else 33) <= gesture.pitch <= 96
        assert not gesture.bend[: LEAD_SAMPLES // STEP_SAMPLES + 1].any()
        assert np.array_equal(gesture.bend, draw_gesture(seed).bend)
