"""The signal definitions, trajectories and the limiter, each against its definition computed another way."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float, Mel, Stft, pulse_train, split_filters, white_noise
from cmaudio.signal.limiter import Limiter
from cmaudio.synthesis.excitation import semitones_to_hz
from cmaudio.synthesis.note_features import note_features
from cmaudio.synthesis.trajectory import Trajectory

RATE = 48_000
STFT = Stft(2048, 512)
MEL = Mel(RATE, 2048, 128, 20.0, 24_000.0, 3e-4)
# librosa's documentation of `mel_frequencies(n_mels=40)`: Slaney's scale from 0 to 11025 Hz.
SLANEY_HZ = (
    *(0.0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855, 853.173, 938.49),
    *(1024.856, 1119.114, 1222.042, 1334.436, 1457.167, 1591.187, 1737.532, 1897.337, 2071.84, 2262.393, 2470.47),
    *(2697.686, 2945.799, 3216.731, 3512.582, 3835.643, 4188.417, 4573.636, 4994.285, 5453.621, 5955.205, 6502.92),
    *(7101.009, 7754.107, 8467.272, 9246.028, 10096.408, 11025.0),
)


def db(power_ratio: float) -> float:
    return 10 * math.log10(power_ratio + 1e-30)


# -- mel -------------------------------------------------------------------------------------------------------------


def test_mel_bands_stand_at_the_published_slaney_frequencies() -> None:
    mel = Mel(22_050, 2**16, 38, 0.0, 11_025.0, 1e-5)
    hz = np.arange(2**15 + 1) * 22_050 / 2**16
    for band, (low, centre, high) in enumerate(zip(SLANEY_HZ, SLANEY_HZ[1:], SLANEY_HZ[2:], strict=False)):
        expected = np.interp(hz, [low, centre, high], [0, 2 / (high - low), 0], left=0, right=0)
        np.testing.assert_allclose(mel.filterbank[:, band], expected, atol=0.005 * expected.max())


def test_first_weight_equals_librosas() -> None:
    # librosa's documentation of `filters.mel(sr=22050, n_fft=2048)`: [[0., 0.016, ...
    assert Mel(22_050, 2048, 128, 0.0, 11_025.0, 1e-5).filterbank[1, 0] == pytest.approx(0.016, abs=5e-4)


def test_mel_bands_have_unit_area() -> None:
    mel = Mel(RATE, 2**15, 128, 20.0, 24_000.0, 3e-4)
    areas = mel.filterbank.sum(0) * RATE / 2**15
    np.testing.assert_allclose(areas, 1, atol=0.01)
    assert (mel.filterbank >= 0).all()


def test_sparse_log_mel_equals_the_dense_product() -> None:
    rng = np.random.default_rng(0)
    spectra = (rng.normal(size=(3, 5, 1025)) + 1j * rng.normal(size=(3, 5, 1025))).astype(np.complex64)
    spectra[0] *= 1e-9
    dense = np.log(np.maximum(np.abs(spectra).astype(np.float64) @ MEL.filterbank, MEL.floor))
    np.testing.assert_allclose(MEL(spectra), dense, atol=2e-6)
    np.testing.assert_array_equal(MEL(spectra)[0], np.log(np.float32(MEL.floor)))
    # Each row on its own: the same numbers to the bit.
    np.testing.assert_array_equal(MEL(spectra)[1, 2], MEL(spectra[1, 2]))


def test_band_narrower_than_a_bin_stays_at_the_floor() -> None:
    mel = Mel(RATE, 256, 128, 20.0, 24_000.0, 3e-4)
    empty = mel.filterbank.sum(0) == 0
    assert empty.any()
    loud = np.full((1, 129), 100, np.complex64)
    np.testing.assert_array_equal(mel(loud)[0, empty], np.log(np.float32(3e-4)))
    assert (mel(loud)[0, ~empty] > np.log(3e-4)).all()


# -- STFT ------------------------------------------------------------------------------------------------------------


def signal(kind: str, samples: int = 40 * 512) -> Float:
    times = np.arange(samples) / RATE
    made = {
        "sine": 0.5 * np.sin(2 * np.pi * 997 * times),
        "noise": np.random.default_rng(1).normal(0, 0.2, samples),
        "impulse": np.eye(1, samples, samples // 2 + 13)[0],
        "chirp": 0.5 * np.sin(2 * np.pi * (20 * times + 23_000 / (2 * times[-1]) * times**2)),
    }
    return np.asarray(made[kind], np.float32)


@pytest.mark.parametrize("kind", ["sine", "noise", "impulse", "chirp"])
def test_stft_and_back(kind: str) -> None:
    x = signal(kind)
    padded = np.pad(x, STFT.overlap)[: len(x) + 2 * STFT.overlap]
    y = STFT.overlap_add(STFT.analyse(padded))
    assert len(y) == len(padded)
    y = y[STFT.overlap : STFT.overlap + len(x)]
    assert db(np.square(y - x).sum() / np.square(x).sum()) < -80


def test_frame_is_the_windowed_transform_of_its_last_samples() -> None:
    x = signal("noise", 5 * 512)
    spectra = STFT.analyse(np.concatenate([np.zeros(STFT.overlap, np.float32), x]))
    assert spectra.shape == (5, 1025)
    window = np.hanning(2049)[:-1]  # periodic Hann
    for t in (3, 4):
        expected = np.fft.rfft(x[(t + 1) * 512 - 2048 : (t + 1) * 512] * window)
        np.testing.assert_allclose(spectra[t], expected, atol=1e-4)


def test_stft_never_sees_later_samples() -> None:
    x = np.pad(signal("noise", 20 * 512), (STFT.overlap, 0))
    changed = x.copy()
    changed[STFT.overlap + 9 * 512 :] += 1  # from the first sample of frame 9 on
    one, other = STFT.analyse(x), STFT.analyse(changed)
    np.testing.assert_array_equal(one[:9], other[:9])
    assert (np.abs(one[9] - other[9]) > 0).any()


def test_overlap_add_is_complete_one_overlap_before_the_newest_frame_ends() -> None:
    spectra = STFT.analyse(signal("noise", 20 * 512))
    whole, prefix = STFT.overlap_add(spectra), STFT.overlap_add(spectra[:9])
    np.testing.assert_allclose(whole[: 9 * 512], prefix[: 9 * 512], atol=1e-7)
    assert np.abs(whole[9 * 512 : 10 * 512] - prefix[9 * 512 : 10 * 512]).max() > 1e-3


def test_overlap_add_in_chunks_equals_the_whole() -> None:
    spectra = STFT.analyse(signal("noise", 64 * 512))
    whole = STFT.overlap_add(spectra)
    for sizes in ((1,) * 61, (2,) * 30 + (1,), (7,) * 8 + (5,), (61,)):
        y, start = np.zeros_like(whole), 0
        for size in sizes:
            part = STFT.overlap_add(spectra[start : start + size])
            y[start * 512 : start * 512 + len(part)] += part
            start += size
        np.testing.assert_allclose(y, whole, atol=1e-6)


# -- excitation ------------------------------------------------------------------------------------------------------


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


# -- trajectories and features ---------------------------------------------------------------------------------------


def values(trajectory: Trajectory, *times: float) -> list[float]:
    return [float(value) for value in trajectory.at(np.array(times))]


def test_trajectory_moves_and_rests() -> None:
    trajectory = Trajectory(60.0)
    assert values(trajectory, -5, 0, 1e9) == [60, 60, 60]
    assert trajectory.rests_at(0)
    trajectory.move(100, 64.0, 40)
    assert values(trajectory, 0, 100, 110, 120, 140, 500) == [60, 60, 61, 62, 64, 64]
    assert not trajectory.rests_at(139)
    assert trajectory.rests_at(140)
    assert trajectory.target == 64


def test_trajectory_leaves_from_where_it_is_and_drops_later_plans() -> None:
    trajectory = Trajectory(0.0)
    trajectory.move(100, 10.0, 100)
    trajectory.move(400, 99.0, 1)
    trajectory.move(150, 0.0, 50)
    assert values(trajectory, 125, 150, 175, 200, 1000) == [2.5, 5, 2.5, 0, 0]


def test_trajectory_jumps_within_a_sample_and_from_its_start() -> None:
    trajectory = Trajectory(1.0)
    trajectory.move(0, 2.0, 0)
    assert values(trajectory, -1, 0, 0.5, 1, 2) == [1, 1, 1.5, 2, 2]


def test_trajectory_of_vectors() -> None:
    trajectory = Trajectory([0.0, 1.0])
    trajectory.move(0, [1.0, 0.0], 10)
    assert trajectory.at(np.array([0.0, 5.0, 20.0])).tolist() == [[0, 1], [0.5, 0.5], [1, 0]]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(-10, 10), st.integers(0, 80)), min_size=1, max_size=12),
    st.integers(0, 900),
)
def test_forgetting_the_past_changes_no_later_value(moves: list[tuple[int, float, int]], time: int) -> None:
    kept, trimmed, at = Trajectory(0.0), Trajectory(0.0), 0
    for step, value, over in moves:
        at += step
        kept.move(at, value, over)
        trimmed.move(at, value, over)
    trimmed.forget_before(time)
    times = np.arange(time, time + 300, dtype=np.float64)
    np.testing.assert_array_equal(kept.at(times), trimmed.at(times))


def test_forgetting_keeps_an_hour_of_bends_small() -> None:
    trajectory = Trajectory(0.0)
    for at in range(0, 100_000, 10):
        trajectory.forget_before(at - 1000)
        trajectory.move(at, float(at % 3), 10)
    assert len(trajectory._times) < 220


def test_semitones() -> None:
    np.testing.assert_allclose(semitones_to_hz(np.array([69.0, 57.0, 60.0])), [440, 220, 261.6255653])


def test_note_features_before_after_and_long_after_the_onset() -> None:
    seconds = np.array([[-0.01, 0.02, 3.3, 500.0]])
    features = note_features(seconds, seconds - 0.5, np.full((1, 4), 61.0), np.array([60.0]), np.array([64.0]))
    assert features.shape == (1, 4, 16)
    assert features[0, :, 0].tolist() == [0, 1, 1, 1]
    assert features[0, :, 1].tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(features[0, 0, [2, 3, 4, 5, 8]], [1 / 24, 0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(features[0, 1, [5, 7, 8]], [np.log(2) / 4, 0.8, np.exp(-0.4)], atol=1e-6)
    # The networks never see a clock beyond what they were trained on.
    np.testing.assert_array_equal(features[0, 2, [0, 5, 7, 8, 9, 10]], features[0, 3, [0, 5, 7, 8, 9, 10]])


# -- limiter ---------------------------------------------------------------------------------------------------------


quanta = st.lists(
    st.tuples(st.floats(0, 1e4), st.sampled_from(["impulse", "noise", "square", "ramp"]), st.integers(0, 63)),
    min_size=1,
    max_size=40,
)


def quantum(peak: float, kind: str, place: int) -> Float:
    shapes = {
        "impulse": np.eye(1, 64, place)[0],
        "noise": np.random.default_rng(place).uniform(-1, 1, 64),
        "square": np.where(np.arange(64) % (place + 1) < place / 2, -1.0, 1.0),
        "ramp": np.arange(64) / 63,
    }
    return np.asarray(peak * shapes[kind], np.float32)


@settings(max_examples=150, deadline=None)
@given(quanta)
def test_limiter_never_passes_its_ceiling(parts: list[tuple[float, str, int]]) -> None:
    x = np.concatenate([*(quantum(*part) for part in parts), np.zeros(64, np.float32)])
    limiter = Limiter(RATE)
    y = limiter.process(x)
    assert np.abs(y).max() <= limiter.ceiling * (1 + 1e-6)
    assert 0 < limiter.gain <= 1
    chunked = Limiter(RATE)
    pieces = [chunked.process(x[start : start + 64]) for start in range(0, len(x), 64)]
    np.testing.assert_array_equal(np.concatenate(pieces), y)


def test_limiter_leaves_alone_what_is_below_the_ceiling() -> None:
    x = np.random.default_rng(0).uniform(-0.96, 0.96, 64 * 50).astype(np.float32)
    np.testing.assert_array_equal(Limiter(RATE).process(x)[64:], x[:-64])


@pytest.mark.parametrize("place", [0, 1, 63, 64, 200])
def test_limiter_delays_by_what_it_declares(place: int) -> None:
    limiter = Limiter(RATE)
    y = limiter.process(np.eye(1, 640, place, dtype=np.float32)[0] * np.float32(0.5))
    assert int(np.abs(y).argmax()) - place == limiter.latency_samples


def test_limiter_recovers_and_forgets_on_reset() -> None:
    limiter = Limiter(RATE)
    limiter.process(np.full(640, 4.0, np.float32))
    assert limiter.gain == pytest.approx(10 ** (-0.3 / 20) / 4, rel=1e-6)
    after = limiter.process(np.full(RATE * 2 // 64 * 64, 0.1, np.float32))
    assert (np.diff(after[128:]) >= -1e-9).all()
    assert after[-1] == np.float32(0.1)
    limiter.process(np.full(640, 4.0, np.float32))
    limiter.reset()
    x = np.random.default_rng(0).uniform(-3, 3, 6400).astype(np.float32)
    np.testing.assert_array_equal(limiter.process(x), Limiter(RATE).process(x))
