"""A corpus in object storage: the same as on a disk, resumed, read back, and never half-written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

pytest.importorskip("lhotse")
pytest.importorskip("fsspec")

from fixtures.beeps import Beeps
from fixtures.sound_folder import TINY
from fixtures.storage import flaky_storage, s3_server

from cmaudio.errors import CmaudioError
from cmaudio.files import remote
from cmaudio.files.place import files_in
from cmaudio.files.remote import RemotePath
from cmaudio.files.retry import RetryPolicy
from cmaudio.training.config import Crops
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import read_description
from cmaudio.training.corpus.shard import field_files
from cmaudio.training.prepare.summary import draw_summary
from cmaudio.training.prepare.writer import Progress, write_corpus


@pytest.fixture(params=["memory", "s3"])
def stored(request: pytest.FixtureRequest) -> Iterator[RemotePath]:
    if request.param == "memory":
        yield RemotePath("memory://corpora/beeps")
        return
    with s3_server():
        remote._storage.cache_clear()
        yield RemotePath("s3://bucket/beeps")
        remote._storage.cache_clear()


def names(shards: int) -> set[str]:
    """The files of training shards."""
    return {f"train/{name}" for shard in range(shards) for name in field_files(shard)}


def test_a_stored_corpus_is_the_same_as_a_local_one(stored: RemotePath, tmp_path: Path) -> None:
    local = tmp_path / "beeps"
    for folder in (local, stored):
        description, outcomes = write_corpus(folder, Beeps(), TINY, shard_items=5)
    draw_summary(stored, description, outcomes)
    assert files_in(stored) == files_in(local) | {"summary.png"}
    for name in files_in(local):
        if "cuts" not in name:  # in which gzip puts the time
            assert (stored / name).read_bytes() == (local / name).read_bytes()
    crops = Crops(clips=4, frames=8)
    for step in range(3):
        one, two = (
            Corpus(folder, with_audio=True, memory_gb=1e-5, window_steps=2).batch(step, 0, crops)[0]
            for folder in (local, stored)
        )
        assert torch.equal(one.mel, two.mel)
        assert torch.equal(one.audio, two.audio)


def test_a_broken_run_resumes_with_what_is_missing(stored: RemotePath) -> None:
    def stop(progress: Progress) -> None:
        if progress.items == 10:
            raise KeyboardInterrupt

    folder = stored / "resumed"
    with pytest.raises(KeyboardInterrupt):
        write_corpus(folder, Beeps(), TINY, shard_items=5, on_progress=stop)
    assert names(2) <= files_in(folder)
    with pytest.raises(CmaudioError, match="no finished corpus"):
        read_description(folder)
    (folder / "train" / field_files(1)[3]).unlink()
    seen: list[int] = []
    write_corpus(folder, Beeps(), TINY, shard_items=5, on_progress=lambda progress: seen.append(progress.items))
    assert seen == [5, 10, 12, 15]
    assert read_description(folder).splits["train"].clips == 12
    with pytest.raises(CmaudioError, match="begun with other settings"):
        write_corpus(folder, Beeps(count=13), TINY, shard_items=5)


def test_a_storage_that_fails_leaves_no_shard_that_looks_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "retry_policy", RetryPolicy(0))
    with flaky_storage() as storage:
        folder = RemotePath("flaky://corpus")

        def break_down(progress: Progress) -> None:
            if progress.items == 5:
                storage.failures[:] = [OSError("down")] * 3

        with pytest.raises(CmaudioError, match=r"storage failed .*same command"):
            write_corpus(folder, Beeps(), TINY, shard_items=5, on_progress=break_down)
        assert "shards/train.000001.json" not in files_in(folder)
        storage.failures.clear()
        seen: list[int] = []
        write_corpus(folder, Beeps(), TINY, shard_items=5, on_progress=lambda progress: seen.append(progress.items))
        assert seen == [5, 10, 12, 15]


def test_memory_cannot_be_written_by_several_processes() -> None:
    with pytest.raises(CmaudioError, match="--workers 1"):
        write_corpus(RemotePath("memory://beeps"), Beeps(), TINY, workers=2)
