"""The licence that a SoundFont states."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from cmaudio.soundfont.baked import copyright_notice


@pytest.mark.parametrize(
    ("header", "notice"),
    [
        (b"ICOP" + struct.pack("<I", 4) + b"MIT\0", "MIT"),
        (b"ICOP" + struct.pack("<I", 6) + b"  CC0 ", "CC0"),
        (b"ICOP" + struct.pack("<I", 4) + b"\xff\0\0\0", "\ufffd"),
        (b"ICOP" + struct.pack("<I", 2) + b"\0\0", "not stated"),
        (b"INAM" + struct.pack("<I", 4) + b"A\0\0\0", "not stated"),
    ],
)
def test_the_copyright_chunk_is_read(header: bytes, notice: str, tmp_path: Path) -> None:
    (tmp_path / "font.sf2").write_bytes(b"RIFF\0\0\0\0sfbkLIST" + header)
    assert copyright_notice(tmp_path / "font.sf2") == notice
