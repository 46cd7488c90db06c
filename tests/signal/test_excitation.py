"""The excitation and the filters: pulses, noise, polar form."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from cmaudio.signal.dsp import Mel, Stft, pulse_train, split_filters, white_noise

RATE = 48_000


STFT = Stft(2048, 512)


def db(power_ratio: float) -> float:
    return 10 * math.log10(power_ratio + 1e-30)


def glide(samples: int) -> NDArray[np.float64]:
    return 110 * 2 ** (3 * np.arange(samples) / samples)


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 1000])
def test_pulse_train_in_chunks_equals_the_whole(chunk: int) -> None:
    f0 = glide(4801)
    whole, phases = pulse_train(f0, np.array(0.3), RATE)
    parts, phase = [], np.array(0.3)
    for start in range(0, len(f0), chunk):
        part, after = pulse_train(f0[start : start + chunk], phase, RATE)
        parts.append(part)
        phase = after[-1]
    # Sums in another order differ in the last bits, which the highest harmonic multiplies.
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-4)
    assert phase == pytest.approx(phases[-1], abs=1e-9)


@pytest.mark.parametrize("f0", [55.0, 440.0, 3520.0])
def test_pulse_train_is_the_sum_of_equal_cosines(f0: float) -> None:
    source, phases = pulse_train(np.full(4800, f0), np.array(0.25), RATE)
    cycles = 0.25 + np.arange(1, 4801) * f0 / RATE
    harmonics = np.arange(1, int(0.49 * RATE / f0) + 1)
    expected = np.cos(2 * np.pi * harmonics[:, None] * cycles).sum(0) / 512
    np.testing.assert_allclose(source, expected, atol=1e-3 * np.abs(expected).max())
    np.testing.assert_allclose(np.sin(np.pi * (phases - cycles)), 0, atol=1e-8)


@pytest.mark.parametrize("f0", [27.5, 261.6256, 1046.5, 4186.0, 12_000.0, 23_000.0])
def test_pulse_train_has_nothing_above_its_band(f0: float) -> None:
    source, _ = pulse_train(np.full(RATE, f0), np.array(0.0), RATE)
    power = np.square(np.abs(np.fft.rfft(source * np.blackman(RATE))))
    edge = int(0.98 * RATE / 2) + 8  # 1 Hz a bin, and the window's main lobe
    assert db(power[edge:].sum() / power.sum()) < -60
    if f0 < 20_000:
        assert db(power[round(f0) - 4 : round(f0) + 5].sum() / power.sum()) > -40


def test_pulse_train_keeps_its_frequency_for_a_minute() -> None:
    phase = np.array(0.0)
    for _ in range(60):
        _, after = pulse_train(np.full(RATE, 440.01), phase, RATE)
        phase = after[-1]
    assert phase == pytest.approx(440.01 * 60 % 1, abs=1e-5)


def test_unpitched_is_silent_and_pitch_returns_in_phase() -> None:
    f0 = np.concatenate([np.zeros(500), np.full(500, 300.0)])
    source, phases = pulse_train(np.stack([f0, np.full(1000, 300.0)]), np.array([0.1, 0.1]), RATE)
    np.testing.assert_array_equal(source[0, :500], 0)
    np.testing.assert_array_equal(phases[0, :500], 0.1)
    alone, _ = pulse_train(np.full(500, 300.0), np.array(0.1), RATE)
    np.testing.assert_array_equal(source[0, 500:], alone)


def test_unpitched_alone_is_the_same_as_beside_a_pitch() -> None:
    f0, phase = np.stack([np.zeros(3584), np.full(3584, 300.0)]), np.array([1.3, 0.1])
    mel = Mel(RATE, 2048, 80, 20.0, 20_000.0, 1e-4)
    together, phases = pulse_train(f0, phase, RATE)
    alone, own_phases = pulse_train(f0[:1], phase[:1], RATE)
    spectra = STFT.analyse(alone)
    for own, of_both in (
        (alone, together),
        (own_phases, phases),
        (spectra, STFT.analyse(together)),
        (STFT.analyse(alone, precise=False), STFT.analyse(together, precise=False)),
        (mel(spectra), mel(STFT.analyse(together))),
    ):
        assert own.dtype == of_both.dtype
        np.testing.assert_array_equal(own[0], of_both[0])


def test_noise_has_unit_power_in_every_bin() -> None:
    noise = white_noise(np.random.default_rng(0), 2048 + 512 * 800)
    power = np.square(np.abs(STFT.analyse(noise))).mean(0)[2:-2]
    assert power.mean() == pytest.approx(1, abs=0.02)
    assert 0.7 < power.min() < power.max() < 1.4


def test_filters_are_polar_and_bounded() -> None:
    raw = np.random.default_rng(0).normal(0, 2, (2, 3, 5 * 7)).astype(np.float32)
    raw[0] = 50
    h, n, d = split_filters(raw)
    log_h, phase_h, log_n, log_d, phase_d = raw[1].reshape(3, 5, 7).transpose(1, 0, 2)
    np.testing.assert_allclose(h[1], np.exp(np.minimum(log_h, 6) + 1j * phase_h), rtol=1e-5)
    np.testing.assert_allclose(n[1], np.exp(np.minimum(log_n, 6)), rtol=1e-5)
    np.testing.assert_allclose(d[1], np.exp(np.minimum(log_d, 6) + 1j * phase_d), rtol=1e-5)
    assert max(np.abs(h[0]).max(), n[0].max(), np.abs(d[0]).max()) < np.exp(6.01)
