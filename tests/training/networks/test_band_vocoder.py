"""Noise filtered by mel bands has the spectrum of the frames."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cmaudio.signal.dsp import Mel, Stft, split_filters, white_noise
from cmaudio.training.networks.band_vocoder import BandVocoder

RATE, HOP, BANDS, FRAMES = 48_000, 512, 128, 300


@pytest.mark.parametrize("slope", [-0.03, 0.0, 0.02])
def test_the_noise_has_the_level_and_colour_of_the_frames(slope: float) -> None:
    stft, mel = Stft(4 * HOP, HOP), Mel(RATE, 4 * HOP, BANDS, 20.0, 24_000.0, 3e-4)
    mean, std = torch.full((BANDS,), -5.0), torch.full((BANDS,), 1.5)
    vocoder = BandVocoder(mel, mean, std)
    asked = np.float32(-3) + np.float32(slope) * np.arange(BANDS, dtype=np.float32)
    frames = torch.from_numpy((np.tile(asked, (1, FRAMES, 1)) + 5) / 1.5)
    filters, state = vocoder(frames, torch.zeros(1, FRAMES), vocoder.init_state(1))
    assert state == []
    h, n, d = split_filters(filters[0].numpy())
    assert max(np.abs(h).max(), np.abs(d).max()) < 1e-8
    noise = white_noise(np.random.default_rng(0), stft.overlap + FRAMES * HOP)
    audio = stft.overlap_add(n * stft.analyse(noise))[stft.overlap :]
    heard = mel(stft.analyse(audio[: -stft.overlap]))[4:].mean(0)
    assert np.abs(heard - asked)[4:-4].mean() * 20 / np.log(10) < 1.0


def test_silence_stays_silent() -> None:
    mel = Mel(RATE, 4 * HOP, BANDS, 20.0, 24_000.0, 3e-4)
    vocoder = BandVocoder(mel, torch.zeros(BANDS), torch.ones(BANDS))
    filters, _ = vocoder(torch.full((1, 2, BANDS), float(np.log(3e-4))), torch.zeros(1, 2), [])
    assert split_filters(filters.numpy())[1].max() < 1e-3
