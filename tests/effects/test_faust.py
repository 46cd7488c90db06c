"""Faust programs as inserts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cmaudio.effects.faust import FaustEffect
from cmaudio.effects.insert import Insert
from cmaudio.errors import CmaudioError

RATE = 48_000


def program(folder: Path, code: str) -> Path:
    path = folder / "effect.dsp"
    path.write_text(code, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("code", "out"),
    [
        ("process = _ * 0.5;", (0.5, -1.0)),
        ("process = *(0.5), *(2);", (0.5, -4.0)),
        ("process = _, _ <: !, _, _, !;", (-2.0, 1.0)),
    ],
    ids=["mono", "stereo", "swapped"],
)
def test_a_program_processes_blocks_of_any_size(tmp_path: Path, code: str, out: tuple[float, float]) -> None:
    pytest.importorskip("cyfaust")
    effect = FaustEffect(program(tmp_path, code), RATE)
    for samples in (1, 64, 1000):
        block = np.tile(np.array([1, -2], np.float32), (samples, 1))
        assert np.array_equal(effect(block), np.tile(np.array(out), (samples, 1)))


def test_works_as_an_insert_and_its_controls_can_be_set(tmp_path: Path) -> None:
    pytest.importorskip("cyfaust")
    effect = FaustEffect(program(tmp_path, 'process = *(hslider("gain", 1, 0, 2, 0.01));'), RATE)
    insert, block = Insert(effect, RATE), np.ones((64, 2), np.float32)
    effect.set("gain", 0.25)
    insert.process(block)
    assert insert.problem is None
    assert np.allclose(block, 0.25)
    with pytest.raises(CmaudioError, match="no control 'colour'"):
        effect.set("colour", 1)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("process = nonsense;", "does not compile"),
        ("process = _, _, _ :> _;", "has 3 inputs and 1 outputs"),
        (None, "cannot be read"),
    ],
)
def test_unusable_programs_are_refused(tmp_path: Path, code: str | None, message: str) -> None:
    pytest.importorskip("cyfaust")
    path = tmp_path / "missing.dsp" if code is None else program(tmp_path, code)
    with pytest.raises(CmaudioError, match=message):
        FaustEffect(path, RATE)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyfaust", None)
    with pytest.raises(CmaudioError, match=r"pip install 'cmaudio\[faust\]'"):
        FaustEffect(program(tmp_path, "process = _;"), RATE)
