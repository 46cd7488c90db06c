"""Unpack the sounds of two games' data packages into folders that `cmaudio prepare folder` reads.

    python scripts/unpack_texture_sounds.py /usr/share/games/openclonk/Sound.ocg sounds/openclonk
    python scripts/unpack_texture_sounds.py /usr/share/games/openttd/baseset/opensfx/opensfx.cat sounds/opensfx

The format follows from the extension: `.ocg` is an OpenClonk group file, `.cat` an OpenTTD sound catalogue. The names
of sounds in a catalogue, which give author and licence, are written to `names.txt`.
"""

from __future__ import annotations

import argparse
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_HEADER, _ENTRY = 204, 316  # bytes of a group's header and of its entries
_GZIP = b"\x1f\x8b"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="file to unpack")
    parser.add_argument("folder", type=Path, help="folder for the sounds")
    arguments = parser.parse_args()
    readers = {".ocg": group_files, ".cat": catalogue_files}
    if arguments.archive.suffix not in readers:
        parser.error(f"{arguments.archive}: its name must end with .ocg or .cat")
    count = 0
    for name, content in readers[arguments.archive.suffix](arguments.archive.read_bytes()):
        path = arguments.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        count += 1
    print(f"{arguments.folder}: {count} files")


def group_files(packed: bytes) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of an OpenClonk group file: gzip with two other bytes as its magic number."""
    yield from _files_of_group(zlib.decompress(_GZIP + packed[2:], wbits=31), "")


def _files_of_group(content: bytes, folder: str) -> Iterator[tuple[str, bytes]]:
    """The first and third byte of each three are swapped in the header, and all bytes are XORed with 237."""
    header = bytearray(content[:_HEADER])
    for i in range(0, _HEADER - 2, 3):
        header[i], header[i + 2] = header[i + 2], header[i]
    (count,) = struct.unpack_from("<i", bytes(byte ^ 237 for byte in header), 36)
    data = _HEADER + _ENTRY * count
    for i in range(count):
        entry = content[_HEADER + _ENTRY * i : _HEADER + _ENTRY * (i + 1)]
        name = entry[: entry.index(0)].decode("latin-1")
        is_group, size, _, offset = struct.unpack_from("<4i", entry, _ENTRY - 52)
        inside = content[data + offset : data + offset + size]
        if is_group:
            yield from _files_of_group(inside, f"{folder}{Path(name).stem}/")
        else:
            yield folder + name, inside


def catalogue_files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of the sounds of an OpenTTD catalogue, and of a text file with their names."""
    (first,) = struct.unpack_from("<I", content, 0)
    names = []
    for i in range((first & 0x7FFFFFFF) // 8):
        start, size = struct.unpack_from("<II", content, 8 * i)
        start &= 0x7FFFFFFF  # the highest bit is set if the sound has a name
        name = content[start + 1 : start + content[start]].decode("utf-8", "replace")
        sound = start + 1 + content[start]
        names.append(f"{i:02d}.wav\t{name}")
        yield f"{i:02d}.wav", content[sound : sound + size]
    yield "names.txt", ("\n".join(names) + "\n").encode()


if __name__ == "__main__":
    main()
