"""The ring and the compiled callback: every sample once and in order, no click where they run out."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from cmaudio.errors import CmaudioError
from cmaudio.output.callback import FADE_SAMPLES, OUTPUT_UNDERFLOW, output_callback, silence_callback
from cmaudio.output.ring import Ring

Sides = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]]
SINE = np.sin(2 * np.pi * 220 / 48_000 * np.arange(48_000)).astype(np.float32)
# The steepest step of the sine plus one step of the fade.
LARGEST_STEP = 2 * np.pi * 220 / 48_000 + 1 / FADE_SAMPLES + 1e-6


def largest_step(output: npt.NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(output[:, 0], prepend=np.float32(0))).max())


@pytest.mark.parametrize("write_samples", [1, 64, 65, 8193])
@pytest.mark.parametrize("period_samples", [1, 64, 65, 8193])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_loses_and_repeats_nothing(write_samples: int, period_samples: int, channels: int) -> None:
    ring = Ring(write_samples + period_samples + 7, channels)
    made = (np.arange(1, 3 * 8193 + 1000) / 32768).astype(np.float32)
    callback = output_callback()
    heard, written = [], 0
    while written < len(made) or ring.readable >= period_samples:
        while ring.readable < period_samples and written < len(made):
            written += ring.write(made[written : written + write_samples])
        if ring.readable < period_samples:
            break
        heard.append(callback.drive(ring, period_samples))
    output = np.concatenate(heard)
    assert (output == output[:, :1]).all()
    fade_in = np.minimum(np.arange(1, len(output) + 1) / FADE_SAMPLES, 1.0)
    np.testing.assert_allclose(output[:, 0], made[: len(output)] * fade_in, rtol=1e-6)
    assert ring.counters().played_samples == len(output)
    assert ring.counters().underrun_samples == 0


@pytest.mark.parametrize(
    ("channels", "first_output", "expected"),
    [
        (1, 0, lambda left, right: [(left + right) / 2]),
        (2, 0, lambda left, right: [left, right]),
        (4, 0, lambda left, right: [left, right, 0 * left, 0 * left]),
        (6, 2, lambda left, right: [0 * left, 0 * left, left, right, 0 * left, 0 * left]),
    ],
)
def test_two_sides_go_to_their_outputs(channels: int, first_output: int, expected: Sides) -> None:
    ring = Ring(300, channels, source_channels=2, first_output=first_output)
    sides = np.stack([SINE[:4000], -0.5 * SINE[7:4007]], 1)
    heard, written = list[npt.NDArray[np.float32]](), 0
    while written < len(sides):
        written += ring.write(sides[written : written + 170])
        heard.append(output_callback().drive(ring, ring.readable))
    output = np.concatenate(heard)[FADE_SAMPLES:]
    np.testing.assert_allclose(output.T, expected(*sides[FADE_SAMPLES:].T), atol=1e-6)
    assert ring.counters().peak == pytest.approx(np.abs(output).max(), abs=1e-3) or channels == 1


@pytest.mark.parametrize(("channels", "sources"), [(4, 4), (6, 4), (64, 64)])
def test_several_pairs_go_to_as_many_outputs(channels: int, sources: int) -> None:
    ring = Ring(300, channels, source_channels=sources)
    made = np.stack([SINE[7 * source :][:4000] / (1 + source) for source in range(sources)], 1)
    heard, written = list[npt.NDArray[np.float32]](), 0
    while written < len(made):
        written += ring.write(made[written : written + 170])
        heard.append(output_callback().drive(ring, ring.readable))
    output = np.concatenate(heard)[FADE_SAMPLES:]
    np.testing.assert_array_equal(output[:, :sources], made[FADE_SAMPLES:])
    assert not output[:, sources:].any()


def test_write_takes_what_fits() -> None:
    ring = Ring(100)
    assert ring.write(SINE[:70]) == 70
    assert ring.write(SINE[:70]) == 30
    assert ring.write(SINE[:70]) == 0
    assert (ring.readable, ring.writable) == (100, 0)


@pytest.mark.parametrize("available", [0, 1, 3, 63, 64, 65, 100, 127])
@pytest.mark.parametrize("period_samples", [16, 128, 1024])
def test_underrun_fades_out_counts_and_fades_in(available: int, period_samples: int) -> None:
    ring, callback = Ring(65536, 2), output_callback()
    ring.write(SINE[: 1024 + available])
    output = [callback.drive(ring, 128) for _ in range(8)]
    calls = -(-(available + 2 * FADE_SAMPLES) // period_samples)
    output += [callback.drive(ring, period_samples) for _ in range(calls)]
    counters = ring.counters()
    assert counters.played_samples == 1024 + available
    assert counters.underrun_samples == calls * period_samples - available
    assert counters.underruns == calls - available // period_samples
    assert output[-1][-1, 0] == 0.0

    resumed = SINE[3000:12000]
    ring.write(resumed)
    again = [callback.drive(ring, period_samples) for _ in range(4096 // period_samples)]
    assert largest_step(np.concatenate(output + again)) < LARGEST_STEP
    np.testing.assert_array_equal(np.concatenate(again)[FADE_SAMPLES:, 0], resumed[FADE_SAMPLES:4096])
    assert ring.counters().underrun_samples == counters.underrun_samples


def test_data_that_returns_during_the_fade_does_not_click() -> None:
    ring, callback = Ring(65536), output_callback()
    rng = np.random.default_rng(1)
    output, written = [], 0
    for _ in range(400):
        count = int(rng.integers(0, 90))
        written += ring.write(SINE[written : written + count])
        output.append(callback.drive(ring, int(rng.integers(1, 100))))
    # Held samples make the sound wait, never jump: the source goes on where it stopped, from gain 0.
    assert largest_step(np.concatenate(output)) < LARGEST_STEP
    assert ring.counters().underruns > 10
    assert ring.counters().played_samples + ring.readable == written


def test_mute_fades_out_uncounted() -> None:
    ring, callback = Ring(4096), output_callback()
    ring.write(SINE[:4096])
    output = [callback.drive(ring, 256)]
    ring.mute()
    output += [callback.drive(ring, 256) for _ in range(3)]
    assert largest_step(np.concatenate(output)) < LARGEST_STEP
    assert (np.concatenate(output)[256 + FADE_SAMPLES :] == 0).all()
    assert ring.counters().underruns == 0


def test_counts_underflows_and_peak() -> None:
    ring, callback = Ring(4096), output_callback()
    ring.write(np.full(1000, -0.5, np.float32))
    callback.drive(ring, 256, flags=OUTPUT_UNDERFLOW)
    callback.drive(ring, 256, flags=0x1)
    counters = ring.counters()
    assert (counters.callbacks, counters.portaudio_underflows, counters.peak) == (2, 1, 0.5)
    assert (ring.take_peak(), ring.take_peak()) == (0.5, 0.0)
    assert ring.largest_request_samples == 256


def test_silence_callback_only_counts() -> None:
    ring = Ring(4096, 2)
    ring.write(SINE[:1000])
    assert (silence_callback().drive(ring, 512, flags=OUTPUT_UNDERFLOW) == 0).all()
    assert (ring.counters().callbacks, ring.counters().portaudio_underflows, ring.readable) == (1, 1, 1000)


def test_refuses_an_empty_ring() -> None:
    with pytest.raises(CmaudioError, match="at least 1 sample"):
        Ring(0)


def test_import_is_light() -> None:
    code = (
        "import sys, cmaudio.output.player; print([m for m in ('numba', 'sounddevice', 'torch') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
