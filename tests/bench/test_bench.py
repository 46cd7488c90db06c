"""The benchmark measures and reports what it claims to. No test depends on how fast the machine is."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import cmaudio.bench
from cmaudio.bench import SECTIONS, print_report, run_bench
from cmaudio.bench.latency import LatencyTrials, measure_latency
from cmaudio.bench.material import dense, melody, start_held_notes
from cmaudio.bench.targets import METRICS, Metric, judge
from cmaudio.bench.teacher import measure_teacher
from cmaudio.bench.throughput import held_load
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, load_model
from cmaudio.score.events import NoteOff, NoteOn, Score
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.heun import STEPS, evaluations, heun, karras_sigmas


@pytest.fixture(scope="module")
def model() -> Model:
    try:
        return load_model()
    except CmaudioError as error:
        pytest.skip(str(error))


def gaussian_denoiser(mean: float, std: float) -> Callable[[Float, float], Float]:
    """The exact D(x, sigma) of data that is normal with `mean` and `std`."""
    return lambda x, sigma: ((std**2 * x + sigma**2 * mean) / (std**2 + sigma**2)).astype(np.float32)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (0.7, 0.5), (-2.0, 3.0)])
def test_heun_maps_noise_to_gaussian_data_exactly(mean: float, std: float) -> None:
    noise = np.random.default_rng(0).standard_normal((4, 100), dtype=np.float32)
    # dx/dsigma = sigma (x - mean) / (std^2 + sigma^2) keeps (x - mean) / sqrt(std^2 + sigma^2).
    expected = mean + (80 * noise - mean) * std / np.hypot(std, 80)
    fine = heun(gaussian_denoiser(mean, std), noise, karras_sigmas(200, 0.002, 80))
    np.testing.assert_allclose(fine, expected, atol=2e-3 * std)
    coarse = heun(gaussian_denoiser(mean, std), noise, karras_sigmas(STEPS, 0.002, 80))
    np.testing.assert_allclose(coarse, expected, atol=0.2 * std)
    assert fine.dtype == np.float32


def test_heun_is_second_order() -> None:
    noise = np.linspace(-2, 2, 9, dtype=np.float32)
    exact = 80 * noise / np.hypot(1, 80)
    errors = [
        np.abs(heun(gaussian_denoiser(0, 1), noise, karras_sigmas(steps, 0.002, 80)) - exact).max()
        for steps in (16, 32, 64)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.4)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.4)


def test_heun_evaluates_the_denoiser_35_times_at_decreasing_noise_levels() -> None:
    asked: list[float] = []

    def denoise(x: Float, sigma: float) -> Float:
        asked.append(sigma)
        return np.zeros_like(x)

    sigmas = karras_sigmas(STEPS, 0.002, 80)
    heun(denoise, np.ones((1, 2), np.float32), sigmas)
    assert len(asked) == evaluations(STEPS) == 35
    assert asked[0] == pytest.approx(80)
    assert asked[-1] == pytest.approx(0.002)
    assert (np.diff(asked) <= 0).all()
    assert sigmas[-1] == 0


@pytest.mark.parametrize("effects", [False, True])
def test_a_latency_trial_times_the_onset_and_leaves_the_notes_sounding(model: Model, effects: bool) -> None:
    trials = LatencyTrials(model, effects=effects)
    for notes, company in ((1, 0), (8, 0), (1, 4)):
        took_ms, sounded = trials.trial(notes, company)
        assert took_ms > 0
        assert sounded
        assert trials.engine.state().voices == notes + company
        assert trials.engine.rack.silent != effects


def test_held_notes_keep_sounding(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=16)
    start_held_notes(engine, 16, 2048)
    engine.read(24_000)
    assert engine.state().voices == 16


def sounding(score: Score, seconds: float) -> int:
    """Notes that are down at that time."""
    events = [event for at, event in score.events if at <= seconds]
    return sum(isinstance(e, NoteOn) for e in events) - sum(isinstance(e, NoteOff) for e in events)


def test_scores_have_the_declared_density() -> None:
    times = np.arange(0.05, 8, 0.1).tolist()
    assert {sounding(melody(8.0), t) for t in times} == {1}
    assert {sounding(dense(8.0), t) for t in times} == {16}
    assert sounding(dense(8.0), 8.0) == sounding(melody(8.0), 8.0) == 0


def test_sections_have_the_keys_that_the_metrics_name(model: Model) -> None:
    result: dict[str, Any] = {"latency": measure_latency(model, trials=2), "teacher": measure_teacher(model, runs=2)}
    for metric in METRICS:
        if metric.path.partition(".")[0] in result:
            assert metric.value(result) is not None, metric.path
    assert held_load(model, 2, together=False, cold=True, blocks=1) > 0


def test_metrics_are_compared_with_their_targets() -> None:
    result = {"a": {"low": 1.0, "high": 5.0, "none": None}}
    assert Metric("a.low", "", at_most=1).met(result) is True
    assert Metric("a.high", "", at_most=1).met(result) is False
    assert Metric("a.high", "", at_least=5).met(result) is True
    assert Metric("a.low", "", at_least=5).met(result) is False
    assert Metric("a.none", "", at_least=5).met(result) is None
    assert Metric("b.absent", "", at_most=5).met(result) is None
    assert judge({"live": {"skipped": "needs jackd"}}) == {}


def full_result(monkeypatch: pytest.MonkeyPatch, model: Model) -> dict[str, Any]:
    """The result of `run_bench` for sections in which every metric is 1, and a skipped live section."""
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for metric in METRICS:
        section, *keys, last = metric.path.split(".")
        place = sections[section]
        for key in keys:
            place = place.setdefault(key, {})
        place[last] = 1
    sections["live"] = {"skipped": "needs jackd"}
    for section in SECTIONS:
        monkeypatch.setattr(cmaudio.bench, f"measure_{section}", lambda *_, section=section: sections[section])
    return run_bench(model=model)


def test_the_result_is_json_and_the_report_shows_every_metric(monkeypatch: pytest.MonkeyPatch, model: Model) -> None:
    result = json.loads(json.dumps(full_result(monkeypatch, model)))
    assert {"date", "cmaudio", "model", "machine", "took_seconds", "met", *SECTIONS} == set(result)
    assert {"cpu", "cores", "memory_gib", "load_average", "os", "python", "numpy", "onnxruntime"} == set(
        result["machine"]
    )
    text = io.StringIO()
    print_report(result, Console(file=text, width=120))
    shown = text.getvalue()
    for metric in METRICS:
        assert (metric.label in shown) == (not metric.path.startswith("live."))
    assert "live: skipped, needs jackd" in shown
    assert "not met" in shown  # a render at once real time
    assert result["met"]["latency.one_note.p99_ms"] is True
    assert result["met"]["throughput.render_melody.times_real_time"] is False


def test_invalid_arguments_are_named(model: Model) -> None:
    with pytest.raises(CmaudioError, match=r"no 'speed'.*latency, throughput"):
        run_bench(model=model, only=["speed"])
    with pytest.raises(CmaudioError, match="live_seconds must be positive"):
        run_bench(model=model, live_seconds=0)


def test_the_training_benchmark_counts_the_operations_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightning_fabric")
    from cmaudio.bench import training

    monkeypatch.setattr(training, "_SECONDS", 0.0)
    monkeypatch.setattr(training, "_CPU_CLIPS", 1)
    monkeypatch.setattr(training, "_FRAMES", 32)
    result = training.measure_training()
    # Every weight of a product takes two operations an evaluation, and four in the backward pass; the head is evaluated
    # once more for the target. A step has 64 clips of 32 frames, of which the head sees all blocks but the first.
    encoder, head = 3.9e6, 3.75e6
    expected = 64 * (32 * 6 * encoder + 28 * 8 * head)
    if result["device"] == "cpu":
        assert result["teraflop"] == pytest.approx(expected / 1e12, rel=0.25)
    assert result["steps_per_second"] == pytest.approx(1e3 / result["step_ms"])
    assert result["share_of_floor"] == pytest.approx(result["floor_ms"] / result["step_ms"])
    assert result["gigabytes"] > 0.32  # what optimiser and average touch alone
