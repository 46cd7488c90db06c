"""Work on a Ray cluster: results, errors, lost workers, and machines that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="ray is not installed")
pytest.importorskip("lhotse")

from fixtures.beeps import Beeps
from fixtures.ray_cluster import ray_cluster
from fixtures.sound_folder import TINY, read_all
from fixtures.work import DiesOnce, square

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline.recite import recite
from cmaudio.parallel import ray_tasks
from cmaudio.parallel.ray_tasks import RayTasks
from cmaudio.parallel.versions import versions
from cmaudio.training.corpus.shard import field_files
from cmaudio.training.prepare.writer import write_corpus


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with ray_cluster(2) as cluster:
        yield cluster


def test_results_errors_and_lost_workers(cluster: Any, tmp_path: Path) -> None:
    assert sorted(RayTasks().run(square, range(20))) == [(i, i * i) for i in range(20)]
    with pytest.raises(CmaudioError, match="-1 is below 0"):
        list(RayTasks(most_in_flight=1).run(square, [1, -1, 2]))
    assert sorted(RayTasks().run(DiesOnce(tmp_path / "died"), range(4))) == [(i, i) for i in range(4)]
    assert (tmp_path / "died").exists()


def test_a_cluster_writes_the_same_corpus_as_one_machine(cluster: Any, tmp_path: Path) -> None:
    write_corpus(tmp_path / "one", Beeps(), TINY, shard_items=5)
    write_corpus(tmp_path / "many", Beeps(), TINY, shard_items=5, pool=RayTasks())
    one, many = tmp_path / "one", tmp_path / "many"
    assert read_all(one) == read_all(many)
    for split, shards in (("train", 3), ("held_out", 1)):
        for shard in range(shards):
            for name in field_files(shard)[1:]:
                assert (one / split / name).read_bytes() == (many / split / name).read_bytes()
    for name in ("corpus.json", "report.json", "plan.json"):
        assert (one / name).read_bytes() == (many / name).read_bytes()


def test_a_cluster_resumes_and_recites(cluster: Any, tiny_voice: Model, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("One line.\nAnother line.\n", encoding="utf-8")
    recite(text, tmp_path / "one", model=tiny_voice)
    recite(text, tmp_path / "many", model=tiny_voice, pool=RayTasks())
    (tmp_path / "many" / "spoken" / "000002-00.json").unlink()
    told: list[tuple[int, int]] = []
    recite(text, tmp_path / "many", model=tiny_voice, pool=RayTasks(), on_progress=lambda *counts: told.append(counts))
    assert told == [(1, 2), (2, 2)]
    for name in ("metadata.csv", "phonemes.jsonl", "wavs/000001-00.wav", "wavs/000002-00.wav"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_machines_of_another_version_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_tasks, "versions", lambda: versions() | {"cmaudio": "0.0.1"})
    refused: list[str] = []
    with pytest.raises(CmaudioError, match=r"no machine of the cluster .*cmaudio .* instead of 0\.0\.1.*same"):
        list(RayTasks(on_refused=refused.append).run(square, range(4)))
    assert len(refused) == 1
