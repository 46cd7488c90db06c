"""What one step adds to a median: figures on frames whose answers are known, and the section of the report."""

import numpy as np
import pytest
from rich.console import Console

from cmaudio.evaluation import print_report, run_evaluation
from cmaudio.evaluation.held_out import Material
from cmaudio.evaluation.residual import fluctuation, noise_like
from cmaudio.model.file import Model
from cmaudio.synthesis.prior import MedianAndSpread

N, T, M, BEGUN = 3, 200, 8, 20


@pytest.fixture
def predicted() -> MedianAndSpread:
    controls = np.zeros((N, T, 4), np.float32)
    controls[:, BEGUN:, 0] = 1
    median = np.random.default_rng(0).standard_normal((N, T, M), dtype=np.float32)
    return MedianAndSpread(controls, median, np.full((N, T, M), 0.1, np.float32), np.full((1, 1, M), -9, np.float32))


def test_what_lasts_is_no_fluctuation(predicted: MedianAndSpread) -> None:
    tone = np.sin(np.arange(T, dtype=np.float32))[None, :, None]
    moving = fluctuation(predicted.median + predicted.spread * (2 + tone), predicted)
    assert np.abs(moving[:, :BEGUN]).max() == 0
    inside = slice(BEGUN + 30, T - 30)  # windows that are whole
    np.testing.assert_allclose(moving[:, inside], np.broadcast_to(tone, moving.shape)[:, inside], atol=0.1)


def test_noise_has_the_size_of_the_samples_and_the_correlation_of_the_recordings(
    predicted: MedianAndSpread,
) -> None:
    rng = np.random.default_rng(1)
    white = rng.standard_normal((N, T, M), dtype=np.float32)
    paired = (white[:, :-1] + white[:, 1:]).repeat(2, 1)[:, :T]
    recorded = (predicted.median + predicted.spread * paired * np.float32(0.7)).astype(np.float32)
    drawn = predicted.median + predicted.spread * 0.5 * rng.standard_normal((N, T, M), dtype=np.float32)
    (noise,) = noise_like(predicted, [drawn], Material(recorded, predicted.controls, predicted.controls))
    size = noise[:, BEGUN:].std()
    assert size == pytest.approx(0.5, abs=0.05)
    moving = fluctuation(recorded, predicted)
    wanted = (moving[:, 1:] * moving[:, :-1]).sum() / np.square(moving).sum()
    assert (noise[:, 1:] * noise[:, :-1]).mean() / size**2 == pytest.approx(wanted, abs=0.08)


def test_quick_section_of_the_embedded_model(model: Model) -> None:
    result = run_evaluation(model, only=["residual"], quick=True)
    figures = result["sections"]["residual"]
    if "not_measured" not in figures:
        assert figures["recorded"]["l1_all_db"] == figures["recorded"]["score_db"] == 0
        assert figures["median"]["seeds_loudness_db"] == 0
        assert figures["one_step"]["seeds_loudness_db"] > 0
    console = Console(record=True, width=160)
    print_report(result, console)
    text = console.export_text()
    assert "median alone" in text or "residual: not measured" in text
