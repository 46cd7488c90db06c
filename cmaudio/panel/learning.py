"""Learning timbres for pages: from takes, and from sounds dropped on a page."""

from __future__ import annotations

import re
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.names import unused_path
from cmaudio.model.file import SUFFIX
from cmaudio.synth import Synth

EXAMPLES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")
_NAME = re.compile(r"[\w(][\w ().-]{0,80}")


def is_example(name: str) -> bool:
    """Whether it names a sound file of a folder, and nothing outside it."""
    return _NAME.fullmatch(name) is not None and Path(name).suffix.lower() in EXAMPLES


class TimbreLearning:
    """Learns from files of a folder, and writes a model file there with everything learned.

    Args:
        synth: the instrument.
        folder: of takes and examples.
    """

    def __init__(self, synth: Synth, folder: Path) -> None:
        self._synth, self._folder = synth, folder
        self._file: Path | None = None

    def learn(self, name: str) -> str:
        """Learn a timbre and select it; returns a notice.

        Raises CmaudioError for a file that is not in the folder or cannot be learned from; then nothing changes.
        """
        path = self._folder / name
        if not is_example(name) or path.is_symlink() or not path.is_file():
            raise CmaudioError(f"there is no sound file {name[:60]!r} in {self._folder}; drop it on the page again")
        target = self._file or unused_path(self._folder / f"learned{SUFFIX}")
        learned = self._synth.learn(path, save=target)
        self._file = target
        text = f"learned as {learned.timbre.name!r}, near {learned.nearest}; written to {target.name}"
        return "; ".join([text, *learned.notices])
