"""Objectives compared on a toy corpus: every student is trained, measured at one and two steps, and resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard"):
    pytest.importorskip(package)
from fixtures.training_corpus import make_corpus
from rich.console import Console

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.objectives import RESULT, compare_objectives, print_comparison
from cmaudio.training.config import ComparisonConfig
from cmaudio.training.corpus.description import read_description, write_description
from cmaudio.training.run.checkpoint import load_tensors

CONFIG = ComparisonConfig.model_validate(
    {
        "name": "toy",
        "description": "saws and bursts",
        "seeds": 2,
        "network": {"width": 16, "context_depth": 2, "head_depth": 2, "conditioning": 16, "timbre_dims": 4},
        "teacher": {"objective": {"objective": "edm"}, "steps": 2, "crops": {"clips": 2, "frames": 32}},
        "student": {"steps": 2, "crops": {"clips": 2, "frames": 32}, "warmup_steps": 0},
        "objectives": {"energy": {"objective": "energy"}, "ect": {"objective": "ect"}},
        "loop": {"precision": "32-true", "compile": False, "log_steps": 1, "picture_steps": 0, "threads": 1},
    }
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "toy"
    make_corpus(path)
    return path


def test_students_of_a_seed_share_a_teacher_and_are_measured_at_one_and_two_steps(corpus: Path, tmp_path: Path) -> None:
    result = compare_objectives(CONFIG, corpus, tmp_path)
    assert json.loads((tmp_path / RESULT).read_text(encoding="utf-8")) == json.loads(json.dumps(result))
    for label in ("energy", "ect"):
        one, two = (result["objectives"][label][steps] for steps in ("1", "2"))
        for row in (one, two):
            seeds = [seed["l1_active_db"] for seed in row["by_seed"]]
            assert len(seeds) == 2
            assert row["l1_active_db"] == pytest.approx(sum(seeds) / 2, abs=1e-3)
        assert one["l1_all_db"] != two["l1_all_db"]
        config = (tmp_path / "seed-2" / label / "config.yaml").read_text(encoding="utf-8")
        assert str(tmp_path / "seed-2" / "teacher") in config
    before, after = (
        load_tensors(tmp_path / f"seed-1/{run}.safetensors")[0] for run in ("teacher/teacher", "ect/student")
    )
    assert any(not torch.equal(before[key], after[key]) for key in before)
    again = compare_objectives(CONFIG, corpus, tmp_path)
    assert again | {"machine": result["machine"]} == result
    console = Console(record=True, width=200)
    print_comparison(result, console)
    text = console.export_text()
    assert "energy" in text
    assert " to " in text


def test_a_corpus_without_held_out_clips_is_refused(corpus: Path, tmp_path: Path) -> None:
    make_corpus(tmp_path / "bare", held_out=0)
    with pytest.raises(CmaudioError, match="no held-out clips"):
        compare_objectives(CONFIG, tmp_path / "bare", tmp_path / "runs")
    spoken = read_description(corpus).model_copy(update={"symbols": ["a"], "language": "xx"})
    (tmp_path / "spoken").mkdir()
    write_description(tmp_path / "spoken", spoken)
    with pytest.raises(CmaudioError, match="without --language"):
        compare_objectives(CONFIG, tmp_path / "spoken", tmp_path / "runs")
