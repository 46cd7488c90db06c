"""A run from a corpus to finished weights: stages, resuming, and errors that appear early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.toy_run import config
from fixtures.training_corpus import make_corpus
from rich.console import Console
from safetensors.torch import load_file

from cmaudio.errors import CmaudioError
from cmaudio.training.export.packing import pack_run
from cmaudio.training.run.train import train

STAGES = ("teacher", "student", "vocoder", "vocoder_tuning", "joint")


def test_finished_stages_leave_weights_and_metrics(finished: Path, corpus: Path) -> None:
    written = {path.name for path in finished.iterdir()}
    assert {f"{s}.safetensors" for s in STAGES} <= written
    assert json.loads((finished / "run.json").read_text())["corpus"] == str(corpus.resolve())
    stages = [json.loads(line)["stage"] for line in (finished / "figures.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(stages)) == list(STAGES)


def test_a_finished_run_is_not_trained_again(finished: Path, corpus: Path, tmp_path: Path) -> None:
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
        ("start_from={teacher: nowhere.safetensors}", r"nowhere\.safetensors, which do not exist"),
        ("export.default_timbre=oboe", "oboe.*burst, saw"),
        ("teacher.energy_noise=0.2", "teacher.energy_noise is for corpora with text"),
    ],
)
def test_configuration_errors_are_named(corpus: Path, tmp_path: Path, override: str, told: str) -> None:
    steps = ["teacher.steps=1", "student=null", "vocoder.steps=1", "vocoder_tuning=null", "joint=null"]
    settings = config(tmp_path, override, *steps)

    def run_and_pack() -> None:
        train(settings, corpus, tmp_path / "run")
        pack_run(tmp_path / "run", tmp_path / "out.cmaudio", network="teacher")

    with pytest.raises(CmaudioError, match=told):
        run_and_pack()


def test_crops_plus_context_must_be_whole_blocks(finished: Path, corpus: Path, tmp_path: Path) -> None:
    start = f"start_from={{student: {finished}/student.safetensors, vocoder: {finished}/vocoder.safetensors}}"
    none = ["vocoder=null"]
    for stage, other in (("joint", "vocoder_tuning"), ("vocoder_tuning", "joint")):
        settings = config(tmp_path, start, *none, f"{other}=null", f"{stage}.crops.frames=34")
        with pytest.raises(CmaudioError, match=rf"{stage}\.crops\.frames 34.*block_frames 4: use 36"):
            train(settings, corpus, tmp_path / stage)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    corpus: Path, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:

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


def test_without_a_readable_checkpoint_the_stage_does_not_restart(corpus: Path, tmp_path: Path) -> None:
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
    from torch.utils.tensorboard import SummaryWriter

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SummaryWriter, "add_scalar", full)
    train(config(tmp_path), corpus, tmp_path / "run", Console(width=500), until="teacher")
    assert (tmp_path / "run" / "teacher.safetensors").is_file()
    assert capsys.readouterr().out.count("No space left on device") == 1


def test_an_unavailable_device_is_named(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CmaudioError, match=r"loop\.accelerator cuda.*cpu"):
        train(config(tmp_path, "loop.accelerator=cuda"), corpus, tmp_path / "run")


def test_a_run_folder_that_lost_its_description_is_refused(corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(config(tmp_path), corpus, run, until="teacher")
    (run / "run.json").write_text("{")
    with pytest.raises(CmaudioError, match=r"run\.json is damaged"):
        train(config(tmp_path), corpus, run, until="teacher")


def test_an_override_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="not valid YAML"):
        config(tmp_path, "teacher.steps=[1")


@pytest.mark.parametrize("keep", [0.25, 1.0])
def test_a_vocoder_keeps_a_share_of_the_weights_it_started_from(
    corpus: Path, tmp_path: Path, finished: Path, keep: float
) -> None:
    start = finished / "vocoder.safetensors"
    alone = [f"{stage}=null" for stage in STAGES if stage != "vocoder"]
    overrides = (f"start_from.vocoder={start}", "vocoder.losses.warmup_steps=0", *alone)
    for share in (0.0, keep):
        train(config(tmp_path, *overrides, f"vocoder.keep={share}"), corpus, tmp_path / str(share), until="vocoder")
    names = ("0.0", f"{keep}")
    trained, kept = (load_file(tmp_path / name / "vocoder.safetensors") for name in names)
    before = load_file(start)
    moved = False
    for name, weights in trained.items():
        if weights.is_floating_point() and not name.startswith("mel_"):
            torch.testing.assert_close(kept[name], torch.lerp(weights, before[name], keep))
            moved |= not torch.equal(weights, before[name])
    assert moved
