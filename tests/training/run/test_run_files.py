"""A run in object storage: published whole, resumed on another machine, and kept apart from other runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("fsspec")
pytest.importorskip("lightning_fabric")

from fixtures.storage import flaky_storage
from fixtures.toy_run import config

from cmaudio.errors import CmaudioError
from cmaudio.files import remote
from cmaudio.files.place import files_in
from cmaudio.files.remote import RemotePath
from cmaudio.files.retry import RetryPolicy
from cmaudio.training.run import run_files
from cmaudio.training.run.checkpoint import load_tensors
from cmaudio.training.run.run_files import RunFiles
from cmaudio.training.run.train import train


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemotePath:
    monkeypatch.setattr(run_files, "working_copy", lambda place: tmp_path / "copy" / place.name)
    return RemotePath(f"memory://runs/{tmp_path.name}")


def begin(files: RunFiles, identity: str, step: int) -> None:
    """A run with a checkpoint."""
    (files.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (files.folder / "run.json").write_text(json.dumps({"id": identity}))
    (files.folder / "checkpoints" / f"student-{step}.safetensors").write_text(f"{identity} {step}")


def on_another_machine(place: RemotePath, folder: Path) -> RunFiles:
    files = RunFiles(place)
    files.folder = folder
    return files


def test_what_changed_is_published_and_what_is_not_kept_removed(stored: RemotePath, tmp_path: Path) -> None:
    files = RunFiles(stored)
    begin(files, "a", 1)
    files.publish()
    assert files_in(stored) == {"run.json", "checkpoints/student-1.safetensors"}
    begin(files, "a", 2)
    (files.folder / "checkpoints" / "student-1.safetensors").unlink()
    files.publish()
    assert files_in(stored) == {"run.json", "checkpoints/student-2.safetensors"}
    other = on_another_machine(stored, tmp_path / "other")
    other.fetch()
    assert files_in(other.folder) == files_in(stored)


def test_a_checkpoint_that_was_not_uploaded_stays(stored: RemotePath) -> None:
    files = RunFiles(stored)
    begin(files, "a", 1)
    files.publish()
    begin(files, "a", 2)
    RunFiles(stored).fetch()
    assert "checkpoints/student-2.safetensors" in files_in(files.folder)


@pytest.mark.parametrize("remains", [True, False])
def test_a_copy_of_another_run_is_removed(remains: bool, stored: RemotePath, tmp_path: Path) -> None:
    files = RunFiles(stored)
    begin(files, "old", 9)
    if remains:
        new = on_another_machine(stored, tmp_path / "other")
        begin(new, "new", 1)
        new.publish()
    files.fetch()
    assert files_in(files.folder) == files_in(stored)


def test_a_failing_storage_keeps_the_last_whole_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_files, "working_copy", lambda place: tmp_path / "copy")
    monkeypatch.setattr(remote, "retry_policy", RetryPolicy(0))
    with flaky_storage() as storage:
        files = RunFiles(RemotePath("flaky://run"))
        begin(files, "a", 1)
        files.publish()
        begin(files, "a", 2)
        storage.failures[:] = [OSError("down")]
        with pytest.raises(CmaudioError, match="storage failed"):
            files.publish()
        assert files_in(RemotePath("flaky://run")) == {"run.json", "checkpoints/student-1.safetensors"}
        files.publish()
        assert "checkpoints/student-2.safetensors" in files_in(RemotePath("flaky://run"))


def test_a_run_in_a_storage_trains_as_a_local_one(corpus: Path, stored: RemotePath, tmp_path: Path) -> None:
    settings = config(tmp_path, "teacher=null", "vocoder=null", "vocoder_tuning=null", "joint=null")
    train(settings, corpus, tmp_path / "local")
    train(settings, corpus, stored)
    assert {"run.json", "config.yaml", "student.safetensors"} <= files_in(stored)
    other = on_another_machine(stored, tmp_path / "other")
    other.fetch()
    here, there = (load_tensors(folder / "student.safetensors")[0] for folder in (tmp_path / "local", other.folder))
    assert all(here[name].equal(there[name]) for name in here)
    train(settings, corpus, other)
