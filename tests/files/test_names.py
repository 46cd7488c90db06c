"""File names made from what people call something."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cmaudio.files.names import file_stem, unused_path

NAMELESS = ["!!!", "???", "...", "\N{GRINNING FACE}", "\N{WINKING FACE}", "-", "_", "__", ""]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Felt and Bells", "felt-and-bells"),
        ("a  b!", "a-b"),
        ("Вода", "вода"),
        ("a.b", "a-b"),
        ("CON", "con-"),
        ("nul", "nul-"),
        ("console", "console"),
    ],
)
def test_letters_and_digits_make_the_name(name: str, stem: str) -> None:
    assert file_stem(name) == stem


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(NAMELESS, 2)))
def test_names_without_letters_differ(first: str, second: str) -> None:
    assert file_stem(first) != file_stem(second)


def test_a_used_path_is_numbered(tmp_path: Path) -> None:
    found = []
    for _ in range(3):
        found.append(unused_path(tmp_path / "a.wav", ".mid"))
        found[-1].with_suffix(".mid").touch()
    assert [path.name for path in found] == ["a.wav", "a-2.wav", "a-3.wav"]


def test_a_dangling_link_is_not_free(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to(tmp_path / "nowhere")
    assert unused_path(tmp_path / "a.wav").name == "a-2.wav"
