"""Two kinds of archives of sounds are unpacked."""

from __future__ import annotations

import importlib.util
import struct
import zlib
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "unpack_texture_sounds.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("unpack_texture_sounds", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def group(files: dict[str, bytes | dict[str, bytes]]) -> bytes:
    """A group file before it is packed; a dictionary becomes a group inside."""
    header = bytearray(byte ^ 237 for byte in bytes(36) + struct.pack("<i", len(files)) + bytes(204 - 40))
    for i in range(0, 202, 3):
        header[i], header[i + 2] = header[i + 2], header[i]
    entries, data = b"", b""
    for name, content in files.items():
        inside = content if isinstance(content, bytes) else group(dict(content))
        is_group = int(isinstance(content, dict))
        numbers = struct.pack("<4i", is_group, len(inside), 0, len(data))
        entries += (name.encode().ljust(264, b"\0") + numbers).ljust(316, b"\0")
        data += inside
    return bytes(header) + entries + data


def test_group_files_are_unpacked_with_their_folders(script: ModuleType) -> None:
    content = group({"Rain.ogg": b"rain", "Fire.ocg": {"Fire.ogg": b"crackle", "Fuse.ogg": b""}})
    packed = zlib.compressobj(wbits=31)
    archive = b"\x1e\x8c" + (packed.compress(content) + packed.flush())[2:]
    assert dict(script.group_files(archive)) == {"Rain.ogg": b"rain", "Fire/Fire.ogg": b"crackle", "Fire/Fuse.ogg": b""}


def test_catalogues_are_unpacked_with_their_names(script: ModuleType) -> None:
    sounds = {'"Wind". By Ann.': b"RIFFwind", '"Horn". By Bob.': b"RIFFhorn!"}
    index, data, start = b"", b"", 8 * len(sounds)
    for name, sound in sounds.items():
        entry = bytes([len(name) + 1]) + name.encode() + b"\0" + sound
        index += struct.pack("<II", (start + len(data)) | 0x80000000, len(sound))
        data += entry
    found = dict(script.catalogue_files(index + data))
    assert found["00.wav"] == b"RIFFwind"
    assert found["01.wav"] == b"RIFFhorn!"
    assert found["names.txt"].decode().splitlines() == ['00.wav\t"Wind". By Ann.', '01.wav\t"Horn". By Bob.']
