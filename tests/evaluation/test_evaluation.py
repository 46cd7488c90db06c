"""The report's meters on signals whose answers are known."""

import json
import math

import numpy as np
import pytest
from rich.console import Console

from cmaudio.errors import CmaudioError
from cmaudio.evaluation import SECTIONS, print_report, run_evaluation
from cmaudio.evaluation.buzz import buzz_db
from cmaudio.evaluation.clicks import click_db
from cmaudio.evaluation.context import summary
from cmaudio.evaluation.drift import REFERENCE_SECOND, measure_seconds
from cmaudio.evaluation.held_out import frechet
from cmaudio.evaluation.onset import onset_sample
from cmaudio.evaluation.pitch import pitch_error_cents
from cmaudio.evaluation.velocity import largest_fall_db
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float, Mel, Stft

RATE = 48_000
STFT, MEL = Stft(2048, 512), Mel(RATE, 2048, 128, 20.0, 24_000.0, 3e-4)


def tone(hz: float, seconds: float = 1.0, amplitudes: tuple[float, ...] = (1.0,), seed: int = 0) -> Float:
    """Harmonics of `hz` with the given amplitudes and random phases."""
    time = np.arange(round(seconds * RATE)) / RATE
    phases = np.random.default_rng(seed).uniform(0, 2 * math.pi, len(amplitudes))
    parts = [
        a * np.sin(2 * math.pi * k * hz * time + p) for k, (a, p) in enumerate(zip(amplitudes, phases, strict=True), 1)
    ]
    return (0.1 * np.sum(parts, 0)).astype(np.float32)


@pytest.mark.parametrize("f0", [65.406, 98.0, 261.626, 1046.5])
@pytest.mark.parametrize("cents", [-31.0, -2.0, -0.3, 0.0, 0.07, 8.0, 44.0])
@pytest.mark.parametrize("amplitudes", [(1.0,), (1.0, 0.5, 0.3, 0.2, 0.4, 0.3), (0.003, 1.0, 0.01, 0.3)])
def test_pitch_meter_is_within_a_tenth_of_a_cent(f0: float, cents: float, amplitudes: tuple[float, ...]) -> None:
    found = pitch_error_cents(tone(f0 * 2 ** (cents / 1200), amplitudes=amplitudes), RATE, f0)
    assert found == pytest.approx(cents, abs=0.1 if f0 < 100 else 0.03)


def test_pitch_meter_is_robust_to_noise() -> None:
    noise = np.random.default_rng(1).normal(0, 0.001, RATE).astype(np.float32)
    found = pitch_error_cents(tone(440 * 2 ** (3 / 1200), amplitudes=(1, 0.5)) + noise, RATE, 440)
    assert found == pytest.approx(3, abs=0.1)


def test_pitch_meter_skips_harmonics_40_db_down() -> None:
    weak = tone(220, amplitudes=(1.0,)) + np.float32(0.005) * tone(445, amplitudes=(1.0,))
    assert pitch_error_cents(weak, RATE, 220) == pytest.approx(0, abs=0.02)


def test_pitch_meter_returns_nothing_for_silence() -> None:
    assert pitch_error_cents(np.zeros(RATE, np.float32), RATE, 220) is None


def test_onset_is_the_first_sample_above_50_db_below_the_peak() -> None:
    signal = np.zeros(4800, np.float32)
    signal[100:137] = 0.0029  # 50.8 dB below
    signal[137:] = 1.0
    assert onset_sample(signal, RATE) == 137
    signal[100] = 0.0033
    assert onset_sample(signal, RATE) == 100
    assert onset_sample(np.zeros(4800, np.float32), RATE) is None


def test_level_fall_is_relative_to_the_loudest_softer_note() -> None:
    assert largest_fall_db([-40, -30, -30.2, -20]) == pytest.approx(0.2)
    assert largest_fall_db([-40, -30, -31, -33, -20]) == pytest.approx(3)
    assert largest_fall_db([-40, -30, -20]) == 0


def test_drift_of_a_tone_that_decays_one_db_per_second() -> None:
    seconds = [tone(440, amplitudes=(1.0, 0.5)) * np.float32(10 ** (-i / 20)) for i in range(8)]
    drift = measure_seconds(seconds, STFT, MEL)
    np.testing.assert_allclose(drift.level_db, REFERENCE_SECOND - np.arange(8), atol=0.01)
    np.testing.assert_allclose(drift.spectrum_db, np.abs(REFERENCE_SECOND - np.arange(8)), atol=0.4)
    metrics = drift.metrics()
    assert metrics["level_end_db"] == pytest.approx(-5, abs=0.01)
    assert metrics["level_max_db"] == pytest.approx(5, abs=0.01)


def test_courses_of_level_are_compared_down_to_30_db() -> None:
    fading = [tone(440) * np.float32(10 ** (-i / 4)) for i in range(8)]
    stopped = [*fading[:6], *[fading[5]] * 2]
    whole, halted, steady = (measure_seconds(seconds, STFT, MEL) for seconds in (fading, stopped, [tone(440)] * 8))
    assert whole.apart_db(whole) == 0
    assert halted.apart_db(whole) == pytest.approx(10, abs=0.1)
    assert whole.apart_db(steady) == pytest.approx(25, abs=0.1)
    silent = [*fading[:4], *[np.zeros_like(fading[0])] * 4]
    assert measure_seconds(silent, STFT, MEL).apart_db(steady) == 30


def test_drift_is_zero_for_a_steady_tone_and_large_for_a_changed_one() -> None:
    steady = [tone(440)] * 5
    assert measure_seconds(steady, STFT, MEL).metrics()["spectrum_max_db"] < 0.01
    other = measure_seconds([*steady[:4], tone(1200)], STFT, MEL).metrics()
    assert other["spectrum_end_db"] > 5
    assert abs(other["level_end_db"]) < 0.1


def test_frechet_distance() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4, 292, 128)).astype(np.float32)
    assert frechet(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet(a, a + np.float32(0.5)) == pytest.approx(32 * 0.25, rel=1e-3)


def test_modulation_at_the_frame_rate_is_measured_as_buzz() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    tremble = 1 + 0.3 * np.sin(2 * math.pi * 93.75 * np.arange(RATE) / RATE).astype(np.float32)
    plain, buzzing = (buzz_db(signal, RATE, 93.75) for signal in (noise, noise * tremble))
    assert plain is not None
    assert buzzing is not None
    assert plain < 6
    assert buzzing > plain + 6
    assert buzz_db(np.zeros(RATE, np.float32), RATE, 93.75) is None


def test_a_jump_is_a_click_and_a_steady_tone_is_not() -> None:
    signal = tone(440)
    assert click_db(signal, RATE // 2, RATE) == pytest.approx(0, abs=0.1)
    broken = signal.copy()
    broken[RATE // 2 :] += 0.02
    found = click_db(broken, RATE // 2, RATE)
    assert found is not None
    assert found > 12
    assert click_db(np.zeros(RATE, np.float32), RATE // 2, RATE) is None


def test_summary_of_no_values() -> None:
    assert summary([])["median"] is None
    assert summary([1.0, 3.0]) == {"n": 2, "median": 2.0, "p95": 2.9, "min": 1.0, "max": 3.0}


def test_unknown_section_is_named() -> None:
    with pytest.raises(CmaudioError, match=r"'loudness'.*pitch"):
        run_evaluation(only=["loudness"])


def test_quick_report_of_the_embedded_model() -> None:
    told: list[str] = []
    result = run_evaluation(only=["onset", "played", "buzz", "breath"], quick=True, on_progress=told.append)
    assert list(result["sections"]) == ["onset", "played", "buzz", "breath"]
    assert set(result["sections"]) <= set(SECTIONS)
    assert result["sections"]["onset"]["moved_exactly"] == result["sections"]["onset"]["notes"]
    assert told
    json.dumps(result, allow_nan=False)
    console = Console(record=True, width=140)
    print_report(result, console)
    assert "Onset" in console.export_text()


def test_evenness_is_reported_by_family(model: Model) -> None:
    figures = run_evaluation(model, only=["evenness"], quick=True)["sections"]["evenness"]
    assert figures["seeds"] == 16
    assert {"piano", "drums"} <= figures["seed_level_std_db"]["families"].keys()
    assert "drums" not in figures["octave_range_db"]["families"], "without a pitch all keys sound alike"
    assert figures["octave_range_db"]["min"] > 0
