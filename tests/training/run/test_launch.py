"""Precision and processes of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard"):
    pytest.importorskip(package)
from fixtures.toy_run import config
from fixtures.toy_voice import CONFIG as VOICE
from fixtures.toy_voice import make_corpus as make_voice_corpus

from cmaudio.errors import CmaudioError
from cmaudio.training.config import LoopSettings
from cmaudio.training.run import launch as precision
from cmaudio.training.run.launch import process_layout, resolve_precision
from cmaudio.training.run.train import check_chunks


@pytest.mark.parametrize(
    ("asked", "native", "chosen", "warned"),
    [
        ("auto", True, "bf16-mixed", False),
        ("auto", False, "32-true", False),
        ("32-true", True, "32-true", False),
        ("32-true", False, "32-true", False),
        ("bf16-mixed", True, "bf16-mixed", False),
        ("bf16-mixed", False, "bf16-mixed", True),
    ],
)
def test_bfloat16_is_chosen_only_where_the_device_computes_it(
    monkeypatch: pytest.MonkeyPatch, asked: str, native: bool, chosen: str, warned: bool
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: native)
    found, warning = resolve_precision(asked, "cpu")  # type: ignore[arg-type]
    assert found == chosen
    assert bool(warning) == warned
    assert "loop.precision=auto" in warning or not warned


@pytest.mark.parametrize(
    ("flags", "native"),
    [({"avx2": True}, False), ({"avx2": True, "avx512_bf16": False}, False), ({"amx_bf16": True}, True)],
)
def test_cpu_bfloat16_support_is_read_from_its_instruction_set(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, bool], native: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    assert precision.computes_bfloat16("cpu") == native


SLURM = {"SLURM_NTASKS": "4", "SLURM_NNODES": "2", "SLURM_JOB_NAME": "train"}


@pytest.mark.parametrize(
    ("environment", "layout"),
    [
        ({}, (3, 1)),
        ({"LOCAL_WORLD_SIZE": "8", "GROUP_WORLD_SIZE": "2"}, (8, 2)),
        ({"LOCAL_WORLD_SIZE": "8", **SLURM}, (8, 1)),
        ({**SLURM, "SLURM_NTASKS_PER_NODE": "2"}, (2, 2)),
        ({**SLURM, "SLURM_JOB_NAME": "bash"}, (3, 1)),
        ({"SLURM_NTASKS": "1"}, (3, 1)),
    ],
)
def test_the_launcher_decides_how_many_processes_there_are(
    environment: dict[str, str], layout: tuple[int, int]
) -> None:
    assert process_layout(LoopSettings(devices=3), environment) == layout


def test_slurm_without_tasks_per_node_names_two_lines_that_work() -> None:
    with pytest.raises(CmaudioError, match=r"srun --nodes=2 --ntasks-per-node=2 cmaudio.*torchrun --nproc-per-node=4"):
        process_layout(LoopSettings(), SLURM)


SCRIPT = """
import sys
from pathlib import Path
from cmaudio.errors import CmaudioError
from cmaudio.training.config import read_config
from cmaudio.training.run.train import train
folder = Path(sys.argv[1])
try:
    train(read_config(folder / "toy.yaml", sys.argv[2:]), folder / "corpus", folder / "run")
except CmaudioError as error:
    sys.exit(str(error))
"""
TWO = ["loop.devices=2", "loop.accelerator=cpu"]


def run_on_two(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(script), str(folder), *TWO, *overrides], env=environment, capture_output=True, text=True
    )


def test_stages_with_fewer_chunks_than_processes_train_on_two(tmp_path: Path) -> None:
    """Aligner and prosody have one chunk: the second process has none, and no metrics of its own."""
    make_voice_corpus(tmp_path, given_times=False)
    (tmp_path / "toy.yaml").write_text(VOICE)
    ended = run_on_two(tmp_path, "student.crops.chunk_clips=1", "vocoder.crops.chunk_clips=1")
    assert ended.returncode == 0, ended.stderr
    for stage in ("aligner", "student", "vocoder", "prosody"):
        assert (tmp_path / "run" / f"{stage}.safetensors").is_file()


@pytest.mark.parametrize("stage", ["vocoder", "vocoder_tuning", "joint"])
def test_crops_that_cannot_be_shared_are_named_before_any_stage_is_trained(tmp_path: Path, stage: str) -> None:
    two_chunks = [f"{each}.crops.chunk_clips=2" for each in ("vocoder", "vocoder_tuning", "joint")]
    settings = config(tmp_path, *two_chunks)
    check_chunks(settings, tmp_path, 2, None)
    settings = config(tmp_path, *two_chunks, f"{stage}.crops.chunk_clips=0")
    with pytest.raises(CmaudioError, match=rf"{stage}: 4 clips in 1 chunks .* 2 processes; make {stage}\.crops\.clips"):
        check_chunks(settings, tmp_path, 2, None)
    (tmp_path / f"{stage}.safetensors").touch()
    check_chunks(settings, tmp_path, 2, None)
