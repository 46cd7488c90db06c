"""Events are found in recordings that have some, as many and as regular as they are, and in no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")
from fixtures.texture_sounds import SIGNAL, make_corpus

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.training.export.texture_events import events_of, measured_events, peaks_of

RATE, FLOOR = 93.75, -8.0


def recording(apart: float, jitter: float = 0.0, rise: float = 3.0, bands: slice = slice(None), seed: int = 0) -> Float:
    """Ten seconds of noise with strokes some frames apart, that decay in some frames."""
    rng = np.random.default_rng(seed)
    mel = -6 + 0.15 * rng.standard_normal((940, 128))
    at = np.cumsum(np.maximum(8, apart * (1 + jitter * rng.standard_normal(int(900 / apart))))).astype(int)
    for start in at[at < 900]:
        course = rise * np.exp(-np.arange(20) / 5)
        mel[start : start + 20, bands] += course[:, None]
    return mel.astype(np.float32)


@pytest.mark.parametrize(("apart", "bands"), [(30.0, slice(None)), (60.0, slice(None)), (45.0, slice(80, 112))])
def test_strokes_are_counted(apart: float, bands: slice) -> None:
    found = events_of([recording(apart, bands=bands)], RATE, FLOOR)
    assert found is not None
    assert found.per_second == pytest.approx(RATE / apart, rel=0.15)
    assert found.regularity > 0.9
    inside = [part for part in range(16) if bands.indices(128)[0] <= 8 * part < bands.indices(128)[1]]
    outside = [part for part in range(16) if part not in inside]
    assert min(found.colour_db[part] for part in inside) > 20
    assert all(found.colour_db[part] < 2 for part in outside)
    assert max(found.course) == 1
    assert len(found.course) < 25


def test_irregular_strokes_are_irregular() -> None:
    found = events_of([recording(40, 0.5, seed=seed) for seed in range(3)], RATE, FLOOR)
    assert found is not None
    assert 0.3 < found.regularity < 0.8


@pytest.mark.parametrize(
    "mel", [recording(40, rise=0.0), recording(10_000), recording(40, rise=0.4)], ids=["noise", "none", "faint"]
)
def test_noise_has_none(mel: Float) -> None:
    assert events_of([mel], RATE, FLOOR) is None


def test_a_slow_swell_is_no_event() -> None:
    assert not len(peaks_of(15 * (1 + np.sin(np.arange(900) / 60))))


def a_model(*timbres: str) -> Any:
    """What is asked of a model: its signal, and steady timbres."""
    manifest = SimpleNamespace(
        sample_rate=SIGNAL.sample_rate,
        hop_length=SIGNAL.hop_length,
        frame_rate=SIGNAL.frame_rate,
        mel=SimpleNamespace(bands=SIGNAL.bands, floor=SIGNAL.floor),
        timbres=[SimpleNamespace(name=name, sustained=name != "knock") for name in timbres],
    )
    return SimpleNamespace(manifest=manifest)


def test_a_corpus_says_which_of_its_timbres_have_some(tmp_path: Path) -> None:
    make_corpus(tmp_path / "sounds", tmp_path / "corpus")
    found = measured_events(a_model("hiss", "ticks", "knock"), tmp_path / "corpus")
    assert list(found) == ["ticks"]
    assert 1.5 < found["ticks"].per_second < 5  # four, of which those at the ends of pieces are not seen
    with pytest.raises(CmaudioError, match="no single events"):
        measured_events(a_model("hiss"), tmp_path / "corpus")
