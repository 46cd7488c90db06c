"""Weights that a stage starts from."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.toy_run import config
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor

from cmaudio.errors import CmaudioError
from cmaudio.training.corpus.description import read_description
from cmaudio.training.run.build_networks import make_consistency_network
from cmaudio.training.run.checkpoint import load_tensors, save_tensors
from cmaudio.training.run.train import train
from cmaudio.training.run.weights import start_from


def test_discriminators_resume_if_their_shape_fits(finished: Path, corpus: Path, tmp_path: Path) -> None:
    left = finished / "discriminators.safetensors"
    start = [f"start_from={{student: {finished}/student.safetensors, vocoder: {finished}/vocoder.safetensors, "
             f"discriminators: {left}}}", "teacher=null", "student=null", "vocoder=null"]  # fmt: skip
    settings = config(
        tmp_path, *start, "vocoder_tuning.losses={windows: [512], warmup: 0.0}", "joint.losses.warmup=1.0"
    )
    console = Console(file=io.StringIO(), width=400)
    train(settings, corpus, tmp_path / "run", console)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"vocoder_tuning: discriminators are new, since those of {left} have another shape" in told
    assert (
        f"joint: discriminators are new, since those of {tmp_path / 'run' / 'discriminators.safetensors'} have" in told
    )
    again = config(tmp_path, *start, "vocoder_tuning=null", "joint.losses.warmup=1.0")
    train(again, corpus, tmp_path / "again", console)
    assert f"joint: discriminators are resumed from {left}" in console.file.getvalue()  # type: ignore[attr-defined]
    a, b = (load_file(path) for path in (left, tmp_path / "again" / "discriminators.safetensors"))
    assert all(torch.equal(a[name], b[name]) for name in a), "nothing trained them: the warm-up is the whole stage"


def test_timbres_are_matched_by_name(finished: Path, corpus: Path, tmp_path: Path) -> None:
    description = read_description(corpus)
    network = make_consistency_network(config(tmp_path), description)
    assert start_from(finished / "student.safetensors", network, ["saw", "burst"]) == 2
    swapped = network.timbres.weight.detach().clone()
    assert start_from(finished / "student.safetensors", network, ["burst", "whistle"]) == 1
    known, new = network.timbres.weight.detach()
    torch.testing.assert_close(known, swapped[1])
    torch.testing.assert_close(new, swapped.mean(0))
    wide = make_consistency_network(config(tmp_path, "network.width=24"), description)
    with pytest.raises(CmaudioError, match="does not fit"):
        start_from(finished / "student.safetensors", wide, ["burst", "saw"])


def test_an_untrained_vocoder_determines_the_mel_statistics(finished: Path, corpus: Path, tmp_path: Path) -> None:
    from cmaudio.training.run.context import RunContext
    from cmaudio.training.run.journal import Journal
    from cmaudio.training.run.run_files import RunFiles

    student, vocoder = (finished / f"{name}.safetensors" for name in ("student", "vocoder"))
    other = tmp_path / "vocoder.safetensors"
    tensors, about = load_tensors(vocoder)
    save_tensors(other, tensors | {"mel_mean": tensors["mel_mean"] + 1}, about)
    start = f"start_from={{student: {student}, vocoder: {other}}}"
    fabric = SimpleNamespace(world_size=1, device=torch.device("cpu"))

    def mean(*more: str) -> Tensor:
        settings, journal = config(tmp_path, start, *more), Journal(tmp_path, None)
        run = RunContext(settings, corpus, RunFiles(tmp_path / "run"), read_description(corpus), fabric, journal)  # type: ignore[arg-type]
        assert run.statistics is not None
        return run.statistics.mean

    torch.testing.assert_close(mean("vocoder=null", "vocoder_tuning=null", "joint=null"), tensors["mel_mean"] + 1)
    torch.testing.assert_close(mean(), tensors["mel_mean"])


def test_weights_of_another_kind_are_refused(finished: Path, corpus: Path, tmp_path: Path) -> None:
    network = make_consistency_network(config(tmp_path), read_description(corpus))
    with pytest.raises(CmaudioError, match="holds no timbres"):
        start_from(finished / "vocoder.safetensors", network, ["a"])
