"""From a finished run to a model file that plays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.toy_run import config
from safetensors.torch import load_file

from cmaudio import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model
from cmaudio.training.config import read_config
from cmaudio.training.corpus.description import read_description
from cmaudio.training.export.packing import pack_run
from cmaudio.training.run.build_networks import make_consistency_network, make_vocoder_network
from cmaudio.training.run.train import train
from cmaudio.training.run.weights import start_from


def test_the_model_file_plays(finished: Path, tmp_path: Path) -> None:
    (finished / "evaluation.json").write_text(json.dumps({"sections": {"held_out": {"l1_db": 2.5, "worst": [1]}}}))
    model = pack_run(finished, tmp_path / "toy.cmaudio")
    assert [t.name for t in model.manifest.timbres] == ["burst", "saw"]
    engine = Engine(model, channels=1)
    engine.note_on(60, 100, timbre="saw")
    assert np.isfinite(engine.read(8000)).all()
    for said in (
        "CC0-1.0",
        "It is a toy.",
        "12 clips",
        "held_out.l1_db | 2.5",
        "student (ect) 6 steps",
        "block_frames: 4",
    ):
        assert said in model.card
    small = pack_run(finished, tmp_path / "small.cmaudio", network="teacher", weights="int8")
    assert load_model(small.path).manifest.weights == "int8"


def test_jointly_trained_weights_are_packed(finished: Path, corpus: Path) -> None:
    settings, description = read_config(finished / "config.yaml"), read_description(corpus)
    joint, student = (load_file(finished / f"{stage}.safetensors") for stage in ("joint", "student"))
    network = make_consistency_network(settings, description)
    assert start_from(finished / "joint.safetensors", network, ["burst", "saw"]) == 2
    assert torch.equal(network.head.out.weight, joint["network.head.out.weight"])
    assert not torch.equal(network.head.out.weight, student["head.out.weight"])
    vocoder = make_vocoder_network(settings, description.signal)
    start_from(finished / "joint.safetensors", vocoder, [])
    assert torch.equal(next(vocoder.parameters()), joint[f"vocoder.{next(iter(dict(vocoder.named_parameters())))}"])
    packed = pack_run(finished, finished / "packed.cmaudio", weights="float32")
    again = make_consistency_network(settings, description)
    start_from(packed.path, again, ["burst", "saw"])
    torch.testing.assert_close(again.head.out.weight, network.head.out.weight)


def test_unfinished_runs_and_unknown_stages(corpus: Path, tmp_path: Path) -> None:
    train(config(tmp_path), corpus, tmp_path / "run", until="teacher")
    with pytest.raises(CmaudioError, match="no finished student"):
        pack_run(tmp_path / "run", tmp_path / "out.cmaudio")
    with pytest.raises(CmaudioError, match="no stage 'pupil'"):
        train(config(tmp_path), corpus, tmp_path / "run", until="pupil")


def test_an_earlier_stage_is_not_packed_before_a_later_one_has_finished(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "joint.safetensors").unlink()
    with pytest.raises(CmaudioError, match="no finished joint"):
        pack_run(run, tmp_path / "out.cmaudio")


@pytest.mark.parametrize(
    ("partials", "picture"), [(None, "harmonic"), ({"kind": "lower_base", "divisor": 2}, "partials")]
)
def test_partials_of_the_corpus_reach_the_model_file(
    finished: Path, corpus: Path, tmp_path: Path, partials: dict[str, object] | None, picture: str
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    shutil.copytree(corpus, tmp_path / "corpus")
    description = json.loads((corpus / "corpus.json").read_text())
    description["timbres"][1]["partials"] = partials
    (tmp_path / "corpus" / "corpus.json").write_text(json.dumps(description))
    about = json.loads((finished / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(
        json.dumps(about | {"corpus": str(tmp_path / "corpus"), "picture": picture})
    )
    manifest = pack_run(tmp_path / "run", tmp_path / "out.cmaudio", weights="float32").manifest
    found = manifest.timbres[1].partials
    assert (found.model_dump() if found else None) == partials
    assert manifest.picture == picture
