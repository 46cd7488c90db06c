"""A learned timbre that is tuned comes nearer to its example, in a process of its own, and changes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
import torch
from fixtures.examples import hiss, thud, written

from cmaudio.errors import CmaudioError
from cmaudio.learning import learn
from cmaudio.learning.learn import learn_timbre, lesson_of
from cmaudio.learning.lesson import Lesson
from cmaudio.learning.search import found_at_once, score_of
from cmaudio.learning.tuning import request_for, tuned_apart
from cmaudio.model.file import Model, load_model
from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.graph import load_graph
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.training.tuning.onnx_module import OnnxModule
from cmaudio.training.tuning.playing import Playing, TimbreParameters
from cmaudio.training.tuning.scores import score_of_bed, score_of_courses
from cmaudio.training.tuning.tune import tuned

OTHER_SEEDS = tuple(range(50, 58))


@pytest.fixture
def lesson(textures: Model, networks: Synthesizer, tmp_path: Path) -> Callable[[np.ndarray], Lesson]:
    def of(samples: np.ndarray) -> Lesson:
        path = written(tmp_path / "sound.wav", samples)
        return lesson_of(textures, [path], "mine", "auto", networks, lambda text: None)

    return of


@pytest.mark.parametrize("name", ["instrument", "textures"])
@pytest.mark.parametrize("graph", ["controls", "head", "prior"])
def test_a_graph_gives_in_torch_what_it_gives_in_the_runtime(name: str, graph: str) -> None:
    model, rng = load_model(name), np.random.default_rng(1)
    played = load_graph(model, graph)
    shapes = [[3 if isinstance(size, str) else size for size in played.shapes[one]] for one in played.input_names]
    inputs = [np.abs(rng.standard_normal(shape)).astype(np.float32) for shape in shapes]
    found = OnnxModule(model.graph(graph))(*map(torch.from_numpy, inputs))
    for ours, theirs in zip(found, played(*inputs), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=0.1 if graph == "head" else 1e-4)  # 8 bit, not rounded


def test_gradients_reach_table_and_point(lesson: Callable[[np.ndarray], Lesson]) -> None:
    known = lesson(thud())
    timbre = found_at_once(known)
    parameters = TimbreParameters(timbre)
    mels = Playing(known, timbre, 16)(parameters, 2, np.random.default_rng(0))
    assert mels.shape == (2, 16, 128)
    torch.autograd.backward(mels.sum())
    for one in parameters.parameters():
        assert one.grad is not None
        assert torch.isfinite(one.grad).all()
        assert one.grad.any()


def test_parameters_that_are_not_tuned_give_the_same_timbre(lesson: Callable[[np.ndarray], Lesson]) -> None:
    timbre = found_at_once(lesson(thud()))
    again = TimbreParameters(timbre).definition()
    assert again.learned == timbre.learned
    np.testing.assert_allclose(again.vector, timbre.vector, atol=1e-5)


@pytest.mark.parametrize("samples", [thud(), hiss()], ids=["one-shot", "bed"])
def test_tuning_brings_a_timbre_nearer(lesson: Callable[[np.ndarray], Lesson], samples: np.ndarray) -> None:
    known = lesson(samples)
    start = found_at_once(known)
    assert start.learned is not None
    spectrum = start.learned.spectra[0]
    off = [[value + 6 for value in row] for row in spectrum.offsets_db]
    louder = replace_spectrum(start, spectrum.model_copy(update={"offsets_db": off}))
    told: list[float] = []
    looks = count()
    found = tuned(known, louder, 25, lambda share, text: told.append(share), clock=lambda: float(next(looks)))
    assert score_of(known, found, OTHER_SEEDS) < score_of(known, louder, OTHER_SEEDS) - 0.5
    assert (found.name, found.sustained, found.place) == (louder.name, louder.sustained, louder.place)
    assert told == sorted(told)


def replace_spectrum(timbre: TimbreDefinition, spectrum: LearnedSpectrum) -> TimbreDefinition:
    return timbre.model_copy(update={"learned": Learned(spectra=[spectrum])})


def test_scores_are_least_for_draws_like_the_recordings() -> None:
    rng = np.random.default_rng(3)

    def mels(takes: int, spread: float, level: float) -> torch.Tensor:
        return torch.from_numpy((level + spread * rng.standard_normal((takes, 120, 24))).astype(np.float32))

    alike = mels(4, 0.5, 0.0)
    for others in (mels(4, 0.5, 1.0), mels(4, 0.02, 0.0), mels(4, 2.0, 0.0)):
        assert score_of_bed(mels(1, 0.5, 0)[0], alike, rng) < score_of_bed(mels(1, 0.5, 0)[0], others, rng)
        assert score_of_courses(mels(6, 0.5, 0), alike, -9.0) < score_of_courses(mels(6, 0.5, 0), others, -9.0)


def test_a_process_of_its_own_tunes_and_tells(textures: Model, networks: Synthesizer, tmp_path: Path) -> None:
    path = written(tmp_path / "thud.wav", thud())
    timbre = found_at_once(lesson_of(textures, [path], "mine", "auto", networks, lambda text: None))
    told: list[str] = []
    found = tuned_apart(request_for(textures.path, [path], timbre, 0.5), lambda share, text: told.append(text))
    assert found.name == "mine"
    assert told[0].startswith("tuning, ")


def test_what_goes_wrong_there_is_told_here(textures: Model, networks: Synthesizer, tmp_path: Path) -> None:
    path = written(tmp_path / "thud.wav", thud())
    timbre = found_at_once(lesson_of(textures, [path], "mine", "auto", networks, lambda text: None))
    path.write_bytes(b"no sound")
    with pytest.raises(CmaudioError, match="is not a sound file"):
        tuned_apart(request_for(textures.path, [path], timbre, 0.5), lambda share, text: None)


def test_cancelled_or_killed_it_leaves_all_as_it_was(
    textures: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "SEARCH_SECONDS", 0.01)
    before, file = textures.manifest, textures.path.read_bytes()

    def cancel(share: float, text: str) -> None:
        if text.startswith("tuning"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn_timbre(textures, written(tmp_path / "thud.wav", thud()), minutes=1, on_progress=cancel)
    assert textures.manifest == before
    assert textures.path.read_bytes() == file


def test_without_torch_a_search_alone_is_told(textures: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn, "can_tune", lambda: False)
    monkeypatch.setattr(
        learn, "found_by_search", lambda lesson, seconds, tell: (found_at_once(lesson), lesson.near[0].name)
    )
    learned = learn_timbre(textures, written(tmp_path / "thud.wav", thud()), minutes=1)
    assert any("cmaudio[train]" in text for text in learned.notices)
