"""The configuration: strict, with errors that name the key and the nearest known ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("torch")
from cmaudio.errors import CmaudioError
from cmaudio.training.config import ComparisonConfig, RunConfig, differences, read_config, read_strict, write_config

CONFIGS = Path(__file__).parents[2] / "configs"
COMPARISON = CONFIGS / "objectives.yaml"
PRESETS = sorted({*CONFIGS.glob("*.yaml")} - {COMPARISON})
PLAIN = """
name: plain
description: a run
teacher: {objective: {objective: edm}, steps: 10}
"""


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.yaml"
    path.write_text(PLAIN)
    return path


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_the_configurations_are_valid_and_round_trip(preset: Path, tmp_path: Path) -> None:
    config = read_config(preset)
    write_config(config, tmp_path / "again.yaml")
    assert read_config(tmp_path / "again.yaml") == config


def test_overrides_reach_nested_keys(plain: Path) -> None:
    config = read_config(plain, ["teacher.steps=7", "teacher.crops.clips=3", "loop.compile=false"])
    assert config.teacher is not None
    assert (config.teacher.steps, config.teacher.crops.clips, config.loop.compile) == (7, 3, False)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("teacher.stepz=7", ["teacher.stepz", "unknown key", "steps"]),
        ("teachr.steps=7", ["teachr", "unknown key", "teacher"]),
        ("teacher.crops.frame=7", ["teacher.crops.frame", "frames"]),
        ("teacher.objective.objective=edn", ["edm", "ect", "edn"]),
        ("teacher.steps=0", ["teacher.steps", "greater than or equal to 1", "0"]),
        ("teacher.steps=soon", ["teacher.steps", "soon"]),
        ("teacher.learning_rate=.nan", ["teacher.learning_rate"]),
        ("teacher.crops.frames=322", ["322", "block_frames"]),
        ("teacher.crops={clips: 10, chunk_clips: 4}", ["clips 10", "chunk_clips 4"]),
        ("teacher.crops={frames: 40, from_start: 0}", ["40", "80", "from_start"]),
        ("vocoder={steps: 5, crops: {frames: 40}}", ["crops.frames 40", "at least 96"]),
        ("network.width=2", ["network.width", "8"]),
        ("steps", ["section.key=value"]),
        ("name.first=7", ["name is a value"]),
        ("seed=2020-13-45", ["seed=2020-13-45", "month must be in 1..12"]),
        ("seed=&a [*a]", ["seed=&a [*a]", "contain themselves"]),
        ("seed=" + "[" * 5000, ["nested too deeply"]),
        ("seed=!!int ''", ["not valid"]),
        ("seed=!!timestamp x", ["not valid"]),
        ("seed=" + "9" * 5000, ["not valid"]),
        ("seed=" + ":".join(["59"] * 5000), ["a number of more than 1024 bits"]),
        ("name=a\0b", ["not valid YAML"]),
        ("loop={log_steps: 1, log_steps: 2}", ["key 'log_steps' is given twice"]),
        ("name=" + "x" * 100_000, ["larger than 64 KiB"]),
    ],
)
def test_configuration_errors_name_the_key(plain: Path, override: str, told: list[str]) -> None:
    with pytest.raises(CmaudioError) as caught:
        read_config(plain, [override])
    for part in told:
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "name: [", "name: \x00"])
def test_files_that_are_not_configurations_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(CmaudioError, match=r"broken\.yaml"):
        read_config(path)
    with pytest.raises(CmaudioError, match="cannot be read"):
        read_config(tmp_path / "none.yaml")


ALIAS_BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]\n" for inner, name in pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ALIAS_BOMB, "aliases"),
        ("name: &a [*a]", "aliases"),
        ("&a {name: *a}", "aliases"),
        ("[" * 60_000, "nested too deeply"),
        ("[{" * 30_000, "nested too deeply"),
        ("- " * 30_000, "nested too deeply"),
        ("a: " + "[" * 300 + "]" * 300, "nested too deeply"),
        (f"name: {'x' * 10_000_000}", "larger than 64 KiB"),
    ],
    ids=["alias bomb", "list in itself", "section in itself", "nested", "both", "by dashes", "closed", "10 MB line"],
)
def test_hostile_files_are_refused_before_they_grow(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    with pytest.raises(CmaudioError, match=rf"configuration .*hostile\.yaml .*{told}"):
        read_config(path)


def test_config_differences_ignore_keys_that_may_change(plain: Path) -> None:
    one = read_config(plain)
    assert differences(one, read_config(plain, ["loop.devices=4", "export.weights=int8"])) == []
    other = differences(one, read_config(plain, ["teacher.steps=11"]))
    assert any("teacher.steps = 10" in row for row in other)
    assert any("teacher.steps = 11" in row for row in other)


def test_every_section_has_defaults_except_the_description_of_a_run() -> None:
    required = {name for name, field in RunConfig.model_fields.items() if field.is_required()}
    assert required == {"name", "description"}


def test_a_comparison_changes_the_objective_alone(tmp_path: Path) -> None:
    config = read_strict(COMPARISON, ComparisonConfig)
    assert {"energy", "ect", "cd", "scm"} <= config.objectives.keys()
    runs = [config.student_run(label, 2, tmp_path / "teacher.safetensors") for label in config.objectives]
    for run, label in zip(runs, config.objectives, strict=True):
        assert run.student is not None
        assert run.student.objective == config.objectives[label]
        changed = [key for key in differences(runs[0], run) if not key.startswith(("name", "student.objective"))]
        assert changed == []
    assert config.teacher_run(2) != config.teacher_run(1)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("teacher=null", ["cd, scm distil a teacher"]),
        ("objectives={}", ["objectives", "at least 1"]),
        ("objectives.energy.sum=1", ["objectives.energy", "sum"]),
        ("objectives={a/b: {objective: ect}}", ["a/b"]),
        ("student.objective={objective: ect}", ["student.objective", "unknown key", "steps"]),
        ("student.crops.frames=322", ["322", "block_frames"]),
        ("seeds=0", ["seeds", "1"]),
    ],
)
def test_errors_of_a_comparison_name_the_key(override: str, told: list[str]) -> None:
    with pytest.raises(CmaudioError) as caught:
        read_strict(COMPARISON, ComparisonConfig, [override])
    for part in told:
        assert part in str(caught.value)
