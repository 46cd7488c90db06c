"""What lies at the floor of the mel is silent, and what is well above it is not changed."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio import Engine
from cmaudio.model.file import Model
from cmaudio.synthesis.silence_gate import SilenceGate


def gate_db(model: Model, above_floor_db: np.ndarray) -> np.ndarray:
    """(F,) gain in dB of a frame whose bands (M,) lie so far above the floor."""
    mean, std = (np.array(values, np.float32) for values in (model.manifest.mel.mean, model.manifest.mel.std))
    log_mel = np.log(model.mel.floor) + above_floor_db * np.log(10) / 20
    frames = ((log_mel - mean) / std).astype(np.float32)
    with np.errstate(divide="ignore"):
        return 20 * np.log10(SilenceGate(model.mel, mean, std)(frames[None, None])[0, 0])


@pytest.mark.parametrize(
    ("above", "lowest", "highest"), [(0, -np.inf, -30), (1, -3, -1), (3, -0.5, 0), (6, -0.1, 0), (60, 0, 0)]
)
def test_only_the_floor_is_silenced(model: Model, above: float, lowest: float, highest: float) -> None:
    found = gate_db(model, np.full(model.mel.bands, float(above)))
    assert lowest <= found.min() <= found.max() <= highest


def test_bands_are_gated_apart(model: Model) -> None:
    bands = model.mel.bands
    found = gate_db(model, np.where(np.arange(bands) < bands // 2, 40.0, 0.0))
    edge_hz = model.mel.centres_hz[bands // 2]
    hz = np.linspace(0, model.mel.sample_rate / 2, len(found))
    np.testing.assert_allclose(found[hz < 0.9 * edge_hz], 0, atol=1e-3)
    assert found[hz > 1.1 * edge_hz].max() < -30


@pytest.mark.parametrize(
    ("timbre", "key", "velocity"),
    [
        ("acoustic grand piano", 40, 60),
        ("electric piano 1", 60, 80),
        ("vibraphone", 60, 90),
        ("orchestral harp", 60, 80),
    ],
)
def test_a_decaying_note_has_no_hiss(timbre: str, key: int, velocity: float) -> None:
    engine = Engine("instrument")
    engine.note_on(key, velocity, timbre=timbre, seed=1)
    note = engine.read(96_000).mean(1)
    late = note[72_000:]
    power = np.square(np.abs(np.fft.rfft(late * np.hanning(len(late)))))
    highs = power[np.fft.rfftfreq(len(late), 1 / 48_000) > 8000].sum() / power.sum() * np.square(late).mean()
    assert 10 * np.log10(highs / np.square(note[:24_000]).mean()) < -75
