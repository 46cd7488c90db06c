"""The PortAudio library, by way of sounddevice: importing it, ending it, and replacing it when it cannot be left."""

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
_replaced: list[Any] = []  # libraries whose streams never closed, and those streams: their code and memory must stay


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
    """End PortAudio at interpreter exit, when its own handler, registered again by a late `close`, is no longer run."""
    sd = sys.modules.get("sounddevice")
    if sd is not None:
        atexit.unregister(sd._exit_handler)
        with suppress(Exception):
            sd._exit_handler()


def replace(stream: object) -> bool:
    """Continue with a fresh copy of PortAudio; `stream` is left as it is. Returns whether that was possible.

    PortAudio stops a JACK stream by asking the server's next callback to do so. Once the server has ended it waits ten
    minutes for that, twice, and until then it can neither open another stream nor end. A second copy of the library has
    a state of its own. Linux only.
    """
    sd = sounddevice()
    try:
        with tempfile.TemporaryDirectory() as folder:
            library = sd._ffi.dlopen(shutil.copy(_file(), folder))
    except OSError:
        return False
    _replaced.append((sd._lib, stream))
    sd._lib, sd._initialized = library, 0
    atexit.unregister(sd._exit_handler)  # a `close` that hangs has taken it away
    atexit.register(sd._exit_handler)
    return True


def _file() -> str:
    """The file of the library that this process uses. Raises OSError if it is unknown."""
    for line in _MAPS.read_text().splitlines():
        if "/libportaudio" in line and not line.endswith("(deleted)"):  # an earlier copy
            return line.split(maxsplit=5)[-1]
    raise OSError("libportaudio is not loaded")
