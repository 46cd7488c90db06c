"""File names of variations: the sound, the number of the take and the seed, as in `door-close_03_71825.wav`."""

from __future__ import annotations

import re
from pathlib import Path

from cmaudio.files.names import file_stem

_NAME = re.compile(r"(.+)_(\d{2,})_\d+\.wav")


def variation_name(sound: str, take: int, seed: int) -> str:
    """The file name of a variation."""
    return f"{file_stem(sound)}_{take:02d}_{seed}.wav"


def is_variation(name: str) -> bool:
    """Whether a file is named as a variation; one that was renamed is not."""
    return _NAME.fullmatch(name) is not None


def last_take(folder: Path, sound: str) -> int:
    """The highest number of a sound's takes in a folder; 0 without any."""
    stem = file_stem(sound)
    found = (_NAME.fullmatch(path.name) for path in folder.glob(f"{stem}_*.wav"))
    return max((int(name[2]) for name in found if name and name[1] == stem), default=0)
