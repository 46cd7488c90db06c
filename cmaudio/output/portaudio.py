"""The PortAudio library, through sounddevice: importing it, terminating it, and replacing it when it hangs."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from cmaudio.errors import DeviceError

_MAPS = Path("/proc/self/maps")
CAN_BE_REPLACED = sys.platform == "linux"
_replaced: list[Any] = []  # libraries whose streams never closed, and those streams: code and memory must stay loaded


def sounddevice() -> Any:
    """The module, with PortAudio initialised. Raises CmaudioError if PortAudio is missing, with the remedy."""
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            "the PortAudio library is missing: on Debian and Ubuntu run `apt install libportaudio2`, "
            "on Fedora `dnf install portaudio` (on Windows and macOS it comes with sounddevice: reinstall that)"
        ) from error
    return sounddevice


def initialise_again() -> Any:
    """The module, after PortAudio has searched for devices again; closes all its streams. Raises CmaudioError."""
    sd = sounddevice()
    with suppress(sd.PortAudioError):
        sd._terminate()
    try:
        sd._initialize()
    except sd.PortAudioError as error:
        raise DeviceError(f"PortAudio does not start: {error}") from error
    return sd


def terminate() -> None:
    """End PortAudio at interpreter exit, if its own handler, registered again by a late `close`, no longer runs."""
    sd = sys.modules.get("sounddevice")
    if sd is not None:
        atexit.unregister(sd._exit_handler)
        with suppress(Exception):
            sd._exit_handler()


def replace(stream: object) -> bool:
    """Continue with a fresh copy of PortAudio, without touching `stream`. Returns whether that was possible.

    PortAudio stops a JACK stream by asking the server's next callback to do so. Once the server has ended, PortAudio
    waits ten minutes for that, twice, and until then can neither open another stream nor terminate. A second copy of
    the library has its own state. Linux only.
    """
    sd = sounddevice()
    try:
        with tempfile.TemporaryDirectory() as folder:
            library = sd._ffi.dlopen(shutil.copy(_file(), folder))
    except OSError:
        return False
    _replaced.append((sd._lib, stream))
    sd._lib, sd._initialized = library, 0
    atexit.unregister(sd._exit_handler)  # a hanging `close` has removed it
    atexit.register(sd._exit_handler)
    return True


def _file() -> str:
    """The file of the library that this process uses. Raises OSError if it is unknown."""
    for line in _MAPS.read_text().splitlines():
        if "/libportaudio" in line and not line.endswith("(deleted)"):  # an earlier copy
            return line.split(maxsplit=5)[-1]
    raise OSError("libportaudio is not loaded")
