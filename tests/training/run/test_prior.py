"""The prior as a stage: its output, the residual for the student, and a run that resumes exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.training_corpus import make_corpus
from torch import Tensor

from cmaudio import Engine
from cmaudio.controls.definitions import control_definitions
from cmaudio.model.file import Model
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.training.config import RunConfig, read_config
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.corpus.description import read_description
from cmaudio.training.corpus.frames import level
from cmaudio.training.export.packing import pack_run
from cmaudio.training.networks.prior import MOST, PriorNetwork
from cmaudio.training.run.build_networks import make_prior_network
from cmaudio.training.run.checkpoint import load_tensors
from cmaudio.training.run.train import train
from cmaudio.training.run.weights import start_from
from cmaudio.training.tasks.residual import Residual, without_lasting

CONFIG = """
name: toy
description: saws and bursts
network:
  {block_frames: 4, width: 16, context_depth: 2, head_depth: 2, conditioning: 16, timbre_dims: 4, autoregressive: true}
vocoder_network: {width: 16, depth: 2}
prior_network: {width: 16, depth: 2, modulation: 6}
prior: {steps: 6, frames: 64, moving_frames: 16, warmup_steps: 2}
student:
  objective: {objective: energy, sums: 1.0, seams: true, levels: 0.5}
  steps: 4
  crops: {clips: 4, frames: 32, chunk_clips: 2}
vocoder: {steps: 2, crops: {clips: 4, frames: 32, warm_up_frames: 8}}
vocoder_tuning: {steps: 1, crops: {clips: 4, frames: 32, warm_up_frames: 8}, generated_share: 0.5}
loop: {precision: 32-true, compile: false, log_steps: 1, picture_steps: 0, threads: 1}
export: {licence: CC0-1.0}
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "toy"
    make_corpus(path)
    return path


def config(folder: Path, *overrides: str) -> RunConfig:
    path = folder / "toy.yaml"
    path.write_text(CONFIG)
    return read_config(path, overrides)


@pytest.fixture(scope="module")
def finished(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    train(config(folder), corpus, folder / "toy")
    return folder / "toy"


@pytest.fixture(scope="module", params=["float32", "int8"])
def packed(request: pytest.FixtureRequest, finished: Path) -> Model:
    return pack_run(finished, finished / f"{request.param}.cmaudio", weights=request.param)


def test_the_prior_graph_equals_torch(packed: Model, finished: Path, corpus: Path) -> None:
    settings, description = read_config(finished / "config.yaml"), read_description(corpus)
    network = make_prior_network(settings, description).eval()
    assert start_from(packed.path, network, ["burst", "saw"]) == 2
    synthesizer = Synthesizer(packed)
    rng = np.random.default_rng(0)
    controls = rng.standard_normal((3, 4, network.control_width), dtype=np.float32)
    timbre = rng.standard_normal((3, 4, 4), dtype=np.float32)
    median, _, moving = network(torch.from_numpy(controls), torch.from_numpy(timbre))
    predicted = synthesizer.predict(controls, timbre)
    drawn = np.ones_like(median.detach().numpy())
    np.testing.assert_array_equal(predicted.controls[..., : network.control_width], controls)
    np.testing.assert_allclose(predicted.controls[..., network.control_width :], median.detach().numpy(), atol=1e-4)
    whole = torch.maximum(median + 2 * moving, torch.from_numpy(synthesizer.silence))
    np.testing.assert_allclose(predicted.frames(drawn, np.float32(2)), whole.detach().numpy(), atol=1e-4)


def test_without_humanity_frames_do_not_depend_on_the_seed(packed: Model) -> None:
    def frames(humanity: float, seed: int) -> np.ndarray:
        engine = Engine(packed, channels=1)
        engine.express("humanity", humanity)
        note = engine.note_on(60, 100, timbre="saw", seed=seed)
        engine.read(4000)
        assert note.voice is not None
        assert note.voice.network is not None
        network = note.voice.network
        return network.batch[0][network.number]

    for seed in (2, 3):
        np.testing.assert_array_equal(frames(0.0, 1), frames(0.0, seed))
        assert not np.array_equal(frames(1.0, 1), frames(1.0, seed))


def test_a_model_with_a_prior_has_the_control_humanity(packed: Model, model: Model) -> None:
    assert control_definitions(packed)["humanity"].default == 1
    old = replace(model, manifest=model.manifest.model_copy(update={"prior": False}))
    assert "humanity" not in control_definitions(old)


def test_the_student_keeps_the_timbres_of_the_prior(finished: Path) -> None:
    prior, student = (load_tensors(finished / f"{stage}.safetensors")[0] for stage in ("prior", "student"))
    assert torch.equal(prior["timbres.weight"], student["timbres.weight"])


def test_a_stopped_prior_resumes_exactly(
    finished: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cmaudio.training.run.loop import Stopped, Trainer

    once = Trainer._report

    def report(self: Trainer) -> None:
        once(self)
        self.stop.asked = self.step == 3

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_report", report)
        with pytest.raises(Stopped):
            train(config(tmp_path), corpus, tmp_path / "run", until="prior")
    train(config(tmp_path), corpus, tmp_path / "run", until="prior")
    straight, again = (load_tensors(folder / "prior.safetensors")[0] for folder in (finished, tmp_path / "run"))
    for name, tensor in straight.items():
        assert torch.equal(tensor, again[name]), name


def test_the_output_has_the_shape_of_frames_and_bounded_spreads() -> None:
    prior = PriorNetwork(controls=7, timbres=3, timbre_dims=4, bands=5, width=16, depth=2)
    prior.most.fill_(0.05)
    median, lasting, moving = prior(torch.randn(2, 9, 7), torch.randn(2, 9, 4))
    assert median.shape == lasting.shape == moving.shape == (2, 9, 5)
    assert (lasting > 0).all()
    assert (moving > 0).all()
    assert (moving <= 0.05).all()


def test_loudness_is_the_slope_of_the_level_of_a_frame() -> None:
    torch.manual_seed(1)
    prior = PriorNetwork(controls=7, timbres=3, timbre_dims=4, bands=5, width=16, depth=2)
    statistics = MelStatistics(torch.linspace(-3, -1, 5), torch.linspace(0.5, 2, 5))
    residual = Residual(prior, torch.full((5,), -100.0), statistics)
    zeros, begun = torch.zeros(1, 60, 5), torch.ones(1, 60, 7)
    batch = Batch(zeros, begun, torch.tensor([1]), zeros[..., 0], torch.zeros(1, 0), torch.ones(1, 60).bool())
    seen = residual(batch, torch.Generator())

    def level_db(drawn: Tensor) -> Tensor:
        log_mel = residual.to_mel(batch, drawn) * statistics.std + statistics.mean
        return 20 * level(log_mel) / np.log(10)

    for band in range(5):
        step = torch.nn.functional.one_hot(torch.tensor(band), 5) * 1e-2
        slope = (level_db(step.expand(1, 60, -1)) - level_db(zeros)) / 1e-2
        torch.testing.assert_close(seen.loudness[..., band], slope, atol=0.02, rtol=0.02)


def test_a_widened_prior_is_the_same_function_until_it_is_trained() -> None:
    shape = {"controls": 40, "timbres": 3, "timbre_dims": 4, "bands": 5, "width": 16, "depth": 2}
    plain, modulated = PriorNetwork(**shape), PriorNetwork(**shape, modulation=6)
    modulated.load_state_dict(modulated.widened(plain.state_dict()))
    controls, timbre = torch.randn(2, 9, 40), torch.randn(2, 9, 4)
    for before, after in zip(plain(controls, timbre), modulated(controls, timbre), strict=True):
        torch.testing.assert_close(before, after)
    assert modulated.widened(modulated.state_dict()).keys() == modulated.state_dict().keys()


def test_the_residual_holds_only_the_moving_part_and_is_inverted_exactly() -> None:
    torch.manual_seed(0)
    prior = PriorNetwork(controls=7, timbres=3, timbre_dims=4, bands=5, width=16, depth=2)
    residual = Residual(prior, torch.full((5,), -100.0), MelStatistics(torch.zeros(5), torch.ones(5)))
    controls = torch.ones(2, 60, 7)
    median, _, moving = prior(controls, prior.timbres(torch.tensor([0, 2]))[:, None].expand(-1, 60, -1))
    waves = torch.sin(torch.arange(60.0))[:, None]
    mel = median + 3.0 + moving * waves
    batch = Batch(mel, controls, torch.tensor([0, 2]), torch.zeros(2, 60), torch.zeros(2, 0), torch.ones(2, 60).bool())
    seen = residual(batch, torch.Generator())
    assert seen.controls.shape == (2, 60, 12)
    assert seen.mel.abs().max() <= MOST
    inside = slice(26, 34)  # windows that are whole
    torch.testing.assert_close(seen.mel[:, inside], waves[inside].expand(2, -1, 5), atol=0.2, rtol=0)
    torch.testing.assert_close(residual.to_mel(batch, waves), median + moving * waves)


def test_silence_before_a_note_has_no_moving_part() -> None:
    begun = torch.arange(40) >= 10
    left = without_lasting(torch.full((1, 40, 3), 5.0), begun[None])
    assert left.abs().max() < 1e-5
