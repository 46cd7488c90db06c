"""Writing a file instead of playing, where there is no sound card."""

from __future__ import annotations

from pathlib import Path

from cmaudio.cli.options import any_output
from cmaudio.cli.terminal import notice
from cmaudio.errors import DeviceError
from cmaudio.files.names import unused_path


def file_instead(error: DeviceError, device: str | None, path: Path, what: str = "Rendering") -> Path:
    """A new file to write to, reported to the user. Raises `error` if a device was requested, or there is one."""
    if device is not None or any_output():
        raise error
    path = unused_path(path)
    notice(f"{str(error).rstrip('.')}. {what} to {path} instead.")
    return path
