"""The STFT and mel: published values, perfect reconstruction, causality."""

import math

import numpy as np
import pytest

from cmaudio.signal.dsp import Float, Mel, Stft

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


def test_transform_in_single_precision_differs_in_the_last_digits() -> None:
    x = np.stack([signal("noise", 9 * 512), signal("chirp", 9 * 512)])
    precise, quick = STFT.analyse(x), STFT.analyse(x, precise=False)
    assert quick.dtype == precise.dtype == np.complex64
    assert db(np.square(np.abs(quick - precise)).sum() / np.square(np.abs(precise)).sum()) < -125
    np.testing.assert_array_equal(quick[1], STFT.analyse(x[1], precise=False))


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
