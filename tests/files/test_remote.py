"""Files in a storage: whole or absent, tried again for a while, and errors that say what to do."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

pytest.importorskip("fsspec")

from fixtures.storage import flaky_storage

from cmaudio.errors import CmaudioError
from cmaudio.files import remote
from cmaudio.files.place import as_place, check_reach, files_in, local_files, move_to, whole_file
from cmaudio.files.reading import is_file, is_folder, read_file
from cmaudio.files.remote import RemotePath
from cmaudio.files.retry import RetryPolicy, retried


class Clock:
    """Time that only passes by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)

    def retry_policy(self, seconds: float) -> RetryPolicy:
        return RetryPolicy(seconds, clock=lambda: self.now, sleep=self.sleep)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(remote, "retry_policy", clock.retry_policy(20))
    return clock


def test_pauses_double_and_end_with_the_patience() -> None:
    clock = Clock()
    with pytest.raises(OSError, match="down"):
        retried(lambda: (_ for _ in ()).throw(OSError("down")), clock.retry_policy(20))
    assert clock.slept == [0.5, 1, 2, 4, 8]


@pytest.mark.parametrize("error", [FileNotFoundError("a"), PermissionError("a"), ValueError("a"), ImportError("a")])
def test_what_would_fail_again_is_not_tried_again(error: Exception) -> None:
    clock = Clock()
    with pytest.raises(type(error)):
        retried(lambda: (_ for _ in ()).throw(error), clock.retry_policy(20))
    assert clock.slept == []


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("s3://bucket/corpus", RemotePath("s3://bucket/corpus")),
        ("S3://bucket/corpus/", RemotePath("s3://bucket/corpus")),
        ("memory://corpus", RemotePath("memory://corpus")),
        ("file:///tmp/a%20b", Path("/tmp/a b")),
        ("corpus", Path("corpus")),
        ("c:\\corpus", Path("c:\\corpus")),
        (Path("corpus"), Path("corpus")),
    ],
)
def test_a_place_is_a_path_or_a_url(name: str | Path, place: Path | RemotePath) -> None:
    assert as_place(name) == place


@pytest.mark.parametrize("name", ["s3://", "s3:///", Path("s3://bucket/corpus")])
def test_what_names_no_place_is_refused(name: str | Path) -> None:
    with pytest.raises(CmaudioError, match=r"s3://bucket/folder|as text"):
        as_place(name)


def test_a_name_has_parts_and_can_be_sent() -> None:
    file = RemotePath("s3://bucket/corpus") / "train" / "cuts.000001.tar"
    assert (str(file), file.name, file.stem, file.suffix) == (
        "s3://bucket/corpus/train/cuts.000001.tar",
        "cuts.000001.tar",
        "cuts.000001",
        ".tar",
    )
    assert pickle.loads(pickle.dumps(file)) == file


@pytest.mark.parametrize("url", ["memory://whole", "flaky://whole"])
def test_files_are_written_listed_read_and_removed(url: str, tmp_path: Path) -> None:
    with flaky_storage():
        folder = as_place(url)
        assert isinstance(folder, RemotePath)
        assert not is_folder(folder)
        with whole_file(folder / "a" / "b.txt") as part:
            part.write_bytes(b"one")
        local = tmp_path / "c.txt"
        local.write_bytes(b"three")
        move_to(local, folder / "c.txt")
        assert not local.exists()
        assert is_folder(folder)
        assert is_file(folder / "c.txt")
        assert files_in(folder) == {"a/b.txt", "c.txt"}
        assert folder.files() == {"a/b.txt": 3, "c.txt": 5}
        assert read_file(folder / "a" / "b.txt", "test", 3) == b"one"
        with pytest.raises(CmaudioError, match="larger than"):
            read_file(folder / "a" / "b.txt", "test", 2)
        with pytest.raises(CmaudioError, match="cannot be read"):
            read_file(folder / "none", "test", 2)
        with local_files(folder, ["c.txt"]) as here:
            assert (here / "c.txt").read_bytes() == b"three"
        for name in ("a/b.txt", "c.txt", "c.txt"):
            (folder / name).unlink()
        assert files_in(folder) == set()


@pytest.mark.parametrize("write", ["write_bytes", "upload"])
@pytest.mark.parametrize("failures", [1, 3])
def test_a_writing_that_fails_in_the_middle_is_tried_again(
    write: str, failures: int, tmp_path: Path, clock: Clock
) -> None:
    local = tmp_path / "file"
    local.write_bytes(b"0123456789")
    with flaky_storage(*[OSError("connection reset")] * failures):
        place = RemotePath("flaky://corpus/file")
        getattr(place, write)(local.read_bytes() if write == "write_bytes" else local)
        assert place.read_bytes() == b"0123456789"
        assert files_in(RemotePath("flaky://corpus")) == {"file"}
    assert len(clock.slept) == failures


def test_a_file_is_never_half_written(clock: Clock) -> None:
    with flaky_storage() as storage:
        place = RemotePath("flaky://corpus/file")
        place.write_bytes(b"old")
        storage.failures += [OSError("down")] * 20
        with pytest.raises(CmaudioError, match=r"storage failed .*20 s.*same command"):
            place.write_bytes(b"new and longer")
        assert place.read_bytes() == b"old"
        assert files_in(RemotePath("flaky://corpus")) == {"file"}
    assert sum(clock.slept) <= 20


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nowhere://bucket/a", "nowhere.*give a URL such as"),
        ("memory://missing/a", "cannot be read"),
    ],
)
def test_errors_say_what_to_do(url: str, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        read_file(RemotePath(url), "corpus", 10)


def test_memory_is_out_of_reach_of_other_processes() -> None:
    check_reach(RemotePath("memory://a"), shares_memory=True)
    check_reach(RemotePath("s3://a"), shares_memory=False)
    with pytest.raises(CmaudioError, match="--workers 1"):
        check_reach(RemotePath("memory://a"), shares_memory=False)
