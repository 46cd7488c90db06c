"""Rules for the layout of the project: short files, folders that say what is in them, tests beside what they test."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE, TESTS = ROOT / "cmaudio", ROOT / "tests"
MOST_LINES = 300
SUFFIXES = (".py", ".js", ".css", ".sh")
SAYS_NOTHING = {"utils", "util", "common", "misc", "base", "helpers", "shared"}
FIXTURES = "fixtures"

# What is still to be split; nothing may be added.
TOO_LONG: set[str] = set()


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources() -> list[Path]:
    """Every source file of the project."""
    found = [path for top in ("cmaudio", "tests", "scripts") for path in (ROOT / top).rglob("*")]
    return sorted(path for path in found if path.suffix in SUFFIXES and "__pycache__" not in path.parts)


def folders(top: Path) -> set[str]:
    """Folders with Python in them, below and relative to `top`."""
    return {path.parent.relative_to(top).as_posix() for path in top.rglob("*.py")} - {"."}


def test_files_are_short() -> None:
    lines = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    too_long = {name: count for name, count in lines.items() if count > MOST_LINES and name not in TOO_LONG}
    assert not too_long, f"at most {MOST_LINES} lines: split these"


def test_names_of_files_and_folders_say_what_is_in_them() -> None:
    names = {part for path in sources() for part in Path(place(path)).with_suffix("").parts}
    assert not names & SAYS_NOTHING


def test_tests_lie_in_the_folders_of_what_they_test() -> None:
    assert folders(TESTS) - {FIXTURES} <= folders(PACKAGE)


@pytest.mark.parametrize("folder", sorted({name.partition("/")[0] for name in folders(PACKAGE)}))
def test_every_folder_of_the_package_has_tests(folder: str) -> None:
    assert list((TESTS / folder).rglob("test_*.py"))
