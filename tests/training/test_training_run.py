"""A run from a corpus to a model file that plays: stages, what they hand on, the card, and what goes wrong early."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.training_corpus import make_corpus
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor

from cmaudio import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model
from cmaudio.training.config import RunConfig, read_config
from cmaudio.training.corpus.description import read_description
from cmaudio.training.export.packing import pack_run
from cmaudio.training.run.build_networks import make_consistency_network, make_vocoder_network
from cmaudio.training.run.checkpoint import load_tensors, save_tensors
from cmaudio.training.run.train import train
from cmaudio.training.run.weights import start_from

CONFIG = """
name: toy
description: saws and bursts
network: {block_frames: 4, width: 16, context_depth: 2, head_depth: 2, conditioning: 16, timbre_dims: 4}
vocoder_network: {width: 16, depth: 2}
teacher: {objective: {objective: edm}, steps: 6, crops: &crops {clips: 4, frames: 32, chunk_clips: 2}}
student: {objective: {objective: ect}, steps: 6, crops: *crops, optimiser: radam, rollout_passes: 2}
vocoder: {steps: 4, crops: {clips: 4, frames: 32, warm_up_frames: 8}}
vocoder_tuning: {steps: 2, crops: {clips: 4, frames: 32, warm_up_frames: 8}, generated_share: 0.5}
joint: {steps: 2, crops: {clips: 4, frames: 32, warm_up_frames: 8}, losses: {warmup: 0.0, windows: [256], channels: 4}}
loop: {precision: 32-true, compile: false, log_steps: 2, picture_steps: 4, threads: 1}
export: {licence: CC0-1.0, limits: [It is a toy.]}
"""


STAGES = ("teacher", "student", "vocoder", "vocoder_tuning", "joint")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "toy"
    make_corpus(path)
    return path


def config(tmp_path: Path, *overrides: str) -> RunConfig:
    path = tmp_path / "toy.yaml"
    path.write_text(CONFIG)
    return read_config(path, overrides)


@pytest.fixture(scope="module")
def finished(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    train(config(folder), corpus, folder / "toy")
    return folder / "toy"


def test_the_model_file_plays(finished: Path, tmp_path: Path) -> None:
    (finished / "evaluation.json").write_text(json.dumps({"sections": {"held_out": {"l1_db": 2.5, "worst": [1]}}}))
    model = pack_run(finished, tmp_path / "toy.cmaudio")
    assert [t.name for t in model.manifest.timbres] == ["burst", "saw"]
    engine = Engine(model)
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


def test_stages_hand_on_and_leave_traces(finished: Path, corpus: Path) -> None:
    written = {path.name for path in finished.iterdir()}
    assert {f"{s}.safetensors" for s in STAGES} <= written
    assert json.loads((finished / "run.json").read_text())["corpus"] == str(corpus.resolve())
    stages = [json.loads(line)["stage"] for line in (finished / "figures.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(stages)) == list(STAGES)


def test_what_was_trained_together_is_what_is_packed(finished: Path, corpus: Path) -> None:
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


def test_discriminators_go_on_where_they_fit(finished: Path, corpus: Path, tmp_path: Path) -> None:
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


def test_the_same_command_finds_everything_done(finished: Path, corpus: Path, tmp_path: Path) -> None:
    before = (finished / "student.safetensors").stat().st_mtime_ns
    train(config(tmp_path), corpus, finished)
    assert (finished / "student.safetensors").stat().st_mtime_ns == before


def test_an_interrupted_run_ends_like_an_uninterrupted_one(finished: Path, corpus: Path, tmp_path: Path) -> None:
    settings = config(tmp_path, "loop.checkpoint_minutes=1.0e-9", "vocoder=null", "vocoder_tuning=null", "joint=null")
    train(settings, corpus, tmp_path / "run", until="teacher")
    train(settings, corpus, tmp_path / "run")
    for stage in ("teacher", "student"):
        a, b = (folder / f"{stage}.safetensors" for folder in (finished, tmp_path / "run"))
        assert a.read_bytes()[-1000:] == b.read_bytes()[-1000:]


def test_a_run_of_another_configuration_or_corpus_is_refused(finished: Path, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=r"student\.steps = 6.*student\.steps = 7"):
        train(config(tmp_path, "student.steps=7"), corpus, finished)
    other = tmp_path / "other"
    make_corpus(other)
    described = other / "corpus.json"
    described.write_text(described.read_text().replace('"burst"', '"blast"'))
    with pytest.raises(CmaudioError, match="timbres"):
        train(config(tmp_path), other, finished)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("start_from={teacher: nowhere.safetensors}", r"nowhere\.safetensors, which does not exist"),
        ("export.default_timbre=oboe", "oboe.*burst, saw"),
        ("teacher.energy_noise=0.2", "teacher.energy_noise is for corpora with text"),
    ],
)
def test_mistakes_of_configuration(corpus: Path, tmp_path: Path, override: str, told: str) -> None:
    steps = ["teacher.steps=1", "student=null", "vocoder.steps=1", "vocoder_tuning=null", "joint=null"]
    settings = config(tmp_path, override, *steps)

    def run_and_pack() -> None:
        train(settings, corpus, tmp_path / "run")
        pack_run(tmp_path / "run", tmp_path / "out.cmaudio", network="teacher")

    with pytest.raises(CmaudioError, match=told):
        run_and_pack()


def test_crops_that_make_no_whole_blocks_with_their_past(finished: Path, corpus: Path, tmp_path: Path) -> None:
    start = f"start_from={{student: {finished}/student.safetensors, vocoder: {finished}/vocoder.safetensors}}"
    none = ["teacher=null", "student=null", "vocoder=null"]
    for stage, other in (("joint", "vocoder_tuning"), ("vocoder_tuning", "joint")):
        settings = config(tmp_path, start, *none, f"{other}=null", f"{stage}.crops.frames=34")
        with pytest.raises(CmaudioError, match=rf"{stage}\.crops\.frames 34.*block_frames 4: use 36"):
            train(settings, corpus, tmp_path / stage)


def test_unfinished_runs_and_unknown_stages(corpus: Path, tmp_path: Path) -> None:
    train(config(tmp_path), corpus, tmp_path / "run", until="teacher")
    with pytest.raises(CmaudioError, match="no finished student"):
        pack_run(tmp_path / "run", tmp_path / "out.cmaudio")
    with pytest.raises(CmaudioError, match="no stage 'pupil'"):
        train(config(tmp_path), corpus, tmp_path / "run", until="pupil")


def test_an_earlier_stage_is_not_packed_while_a_later_one_is_to_come(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "joint.safetensors").unlink()
    with pytest.raises(CmaudioError, match="no finished joint"):
        pack_run(run, tmp_path / "out.cmaudio")


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


def test_more_processes_than_chunks_is_said(corpus: Path, tmp_path: Path) -> None:
    from cmaudio.training.run.context import RunContext
    from cmaudio.training.run.journal import Journal

    fabric = SimpleNamespace(world_size=3, device=torch.device("cpu"))
    settings = config(tmp_path)
    run = RunContext(settings, corpus, tmp_path, read_description(corpus), fabric, Journal(tmp_path, None))  # type: ignore[arg-type]
    assert settings.teacher is not None
    with pytest.raises(CmaudioError, match="4 clips in 2 chunks cannot be shared by 3 processes"):
        run.open_corpus(settings.teacher.crops, with_audio=False)


def test_a_vocoder_that_stays_says_what_mel_is_normalised_with(finished: Path, corpus: Path, tmp_path: Path) -> None:
    from cmaudio.training.run.context import RunContext
    from cmaudio.training.run.journal import Journal

    student, vocoder = (finished / f"{name}.safetensors" for name in ("student", "vocoder"))
    other = tmp_path / "vocoder.safetensors"
    tensors, about = load_tensors(vocoder)
    save_tensors(other, tensors | {"mel_mean": tensors["mel_mean"] + 1}, about)
    start = f"start_from={{student: {student}, vocoder: {other}}}"
    fabric = SimpleNamespace(world_size=1, device=torch.device("cpu"))

    def mean(*more: str) -> Tensor:
        settings, journal = config(tmp_path, start, *more), Journal(tmp_path, None)
        run = RunContext(settings, corpus, tmp_path / "run", read_description(corpus), fabric, journal)  # type: ignore[arg-type]
        assert run.statistics is not None
        return run.statistics.mean

    torch.testing.assert_close(mean("vocoder=null", "vocoder_tuning=null", "joint=null"), tensors["mel_mean"] + 1)
    torch.testing.assert_close(mean(), tensors["mel_mean"])


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    corpus: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    settings, run = config(tmp_path, "loop.checkpoint_minutes=0.00001", "loop.keep=5"), tmp_path / "run"
    train(settings, corpus, run, until="teacher")
    (run / "teacher.safetensors").unlink()
    last = sorted((run / "checkpoints").glob("teacher-*.safetensors"))[-1]
    last.write_bytes(last.read_bytes()[:1000])
    train(settings, corpus, run, Console(width=500), until="teacher")
    said = capsys.readouterr().out
    assert last.name in said
    assert "resumes from step 5" in said
    assert (run / "checkpoints" / f"{last.name}.damaged").is_file()
    again, before = (load_file(folder / "teacher.safetensors") for folder in (run, finished))
    assert all(torch.equal(again[name], before[name]) for name in before)


def test_no_whole_checkpoint_is_an_error_and_not_a_new_beginning(corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(config(tmp_path), corpus, run, until="teacher")
    (run / "teacher.safetensors").unlink()
    for path in (run / "checkpoints").glob("teacher-*.safetensors"):
        path.write_bytes(b"no")
    with pytest.raises(CmaudioError, match=r"none of .* can be read"):
        train(config(tmp_path), corpus, run, until="teacher")


def test_a_log_that_cannot_be_written_does_not_end_the_run(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console
    from torch.utils.tensorboard import SummaryWriter

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SummaryWriter, "add_scalar", full)
    train(config(tmp_path), corpus, tmp_path / "run", Console(width=500), until="teacher")
    assert (tmp_path / "run" / "teacher.safetensors").is_file()
    assert capsys.readouterr().out.count("No space left on device") == 1


def test_a_device_that_is_not_there_is_named(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CmaudioError, match=r"loop\.accelerator cuda.*cpu"):
        train(config(tmp_path, "loop.accelerator=cuda"), corpus, tmp_path / "run")


def test_weights_of_another_kind_are_refused(finished: Path, corpus: Path, tmp_path: Path) -> None:
    network = make_consistency_network(config(tmp_path), read_description(corpus))
    with pytest.raises(CmaudioError, match="no consistency network"):
        start_from(finished / "vocoder.safetensors", network, ["a"])


def test_a_run_folder_that_lost_its_description_is_refused(corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(config(tmp_path), corpus, run, until="teacher")
    (run / "run.json").write_text("{")
    with pytest.raises(CmaudioError, match=r"run\.json cannot be read"):
        train(config(tmp_path), corpus, run, until="teacher")


def test_an_override_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="not valid YAML"):
        config(tmp_path, "teacher.steps=[1")
