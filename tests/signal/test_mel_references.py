"""The mel filterbank is that of the libraries of the field."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.torchaudio_references import reference

from cmaudio.signal.dsp import Mel

SIGNALS = [
    (48_000, 2048, 128, 20.0, 24_000.0),
    (24_000, 1024, 80, 0.0, 12_000.0),
    (16_000, 512, 24, 50.0, 8_000.0),
]


@pytest.mark.parametrize(("rate", "n_fft", "bands", "low", "high"), SIGNALS)
def test_the_filterbank_equals_librosas(rate: int, n_fft: int, bands: int, low: float, high: float) -> None:
    librosa = pytest.importorskip("librosa")
    theirs = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands, fmin=low, fmax=high, htk=False, norm="slaney")
    ours = Mel(rate, n_fft, bands, low, high, 1e-5).filterbank
    np.testing.assert_allclose(ours, theirs.T, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("rate", "n_fft", "bands", "low", "high"), SIGNALS)
def test_the_filterbank_equals_torchaudios(rate: int, n_fft: int, bands: int, low: float, high: float) -> None:
    ours = Mel(rate, n_fft, bands, low, high, 1e-5).filterbank
    theirs = reference(f"filterbank_{rate}")  # computed in 32 bit
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-7)
