"""Some hundred damaged inputs for every parser; `scripts/fuzz.py` runs many more."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("resource", reason="needs POSIX timers")
SCRIPTS = str(Path(__file__).parent.parent / "scripts")
NAMES = (
    "manifest", "graph", "container", "midi", "stream", "osc", "preset", "panel", "corpus", "configuration", "english",
    "russian", "ssml", "dictionary", "phonemes", "steering",
)  # fmt: skip
GENEROUS_SECONDS = 30.0


@pytest.fixture(scope="module")
def fuzz() -> Iterator[ModuleType]:
    sys.path.insert(0, SCRIPTS)
    yield importlib.import_module("fuzz")
    sys.path.remove(SCRIPTS)


def test_every_parser_is_tested(fuzz: ModuleType) -> None:
    assert tuple(fuzz.PARSERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_damaged_was_valid_before(fuzz: ModuleType, name: str) -> None:
    for data in fuzz.PARSERS[name].seeds():
        assert not fuzz.failure(name, data, GENEROUS_SECONDS, is_valid=True)


@pytest.mark.parametrize("name", NAMES)
def test_damaged_input_gives_nothing_but_a_clear_error(fuzz: ModuleType, name: str) -> None:
    count = 60 if name in ("english", "russian", "configuration") else 300
    found = {
        number: problem
        for number in range(count)
        if (problem := fuzz.failure(name, fuzz.case(name, 1, number), GENEROUS_SECONDS))
    }
    assert not found


def test_a_failing_case_is_saved_and_can_be_run_again(
    fuzz: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(data: bytes) -> None:
        if data != b"/good":
            raise ZeroDivisionError

    monkeypatch.setitem(fuzz.PARSERS, "osc", type(fuzz.PARSERS["osc"])(lambda: [b"/good"], fails))
    fuzz._seeds.cache_clear()
    assert fuzz.fuzz("osc", 5, 3, tmp_path) > 0
    saved = sorted(tmp_path.iterdir())[0]
    name, seed, number = saved.name.split("-")
    assert saved.read_bytes() == fuzz.case(name, int(seed), int(number))
    assert "ZeroDivisionError" in capsys.readouterr().out
    fuzz._seeds.cache_clear()


def test_a_hang_is_found(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(data: bytes) -> None:
        while True:
            pass

    monkeypatch.setitem(fuzz.PARSERS, "osc", type(fuzz.PARSERS["osc"])(lambda: [b""], hangs))
    assert "Hang" in fuzz.failure("osc", b"", 0.05)
