"""Host APIs: the audio systems through which PortAudio opens a sound card. Windows has several for each card.

PortAudio's own default on Windows is MME, which adds some 100 ms; WASAPI is preferred here, and ASIO if enabled.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from cmaudio.errors import CmaudioError

ASIO, WASAPI = "ASIO", "Windows WASAPI"
PLATFORM: str = sys.platform
ENABLED = "SD_ENABLE_ASIO"  # sounddevice then loads a PortAudio with ASIO


def enable_asio() -> None:
    """Make sounddevice offer ASIO devices; must be called before its first use.

    Raises CmaudioError on other systems than Windows, or if sounddevice is already in use.
    """
    if PLATFORM != "win32":
        raise CmaudioError("ASIO drivers exist on Windows only: omit --asio")
    if "sounddevice" in sys.modules and ENABLED not in os.environ:
        raise CmaudioError(
            f"sounddevice was imported without ASIO: enable it earlier, or set the environment variable {ENABLED}=1"
        )
    os.environ[ENABLED] = "1"


def preferred_api(apis: Sequence[Any], kind: str) -> int | None:
    """The index of the host API that Windows should use: the first of ASIO and WASAPI that has a device.

    Args:
        apis: as `sounddevice.query_hostapis` returns them.
        kind: "input" or "output".
    Returns:
        None on other systems, which use their own default.
    """
    if PLATFORM == "win32":
        for name in (ASIO, WASAPI):
            for index, api in enumerate(apis):
                if api["name"] == name and api[f"default_{kind}_device"] >= 0:
                    return index
    return None


def matching_api(wanted: str, names: Sequence[str]) -> str:
    """The host API of that name or part of a name. Raises CmaudioError that lists the available ones."""
    low = wanted.strip().lower()
    known = list(dict.fromkeys(names))
    found = [name for name in known if name.lower() == low] or [name for name in known if low and low in name.lower()]
    if len(found) != 1:
        what = "several host APIs match" if found else "no device has a host API"
        asio = "; install the driver of the card's maker" if low == ASIO.lower() and PLATFORM == "win32" else ""
        raise CmaudioError(f"{what} {wanted!r}. There are: {', '.join(known) or 'none'}{asio}")
    return found[0]


def stream_settings(sd: Any, api: str, exclusive: bool) -> Any:
    """The settings for a stream of a host API. Raises CmaudioError for exclusive use of any but WASAPI."""
    if not exclusive:
        return None  # WASAPI then shares the card
    if api != WASAPI:
        raise CmaudioError(f"only {WASAPI} has an exclusive mode, not {api}: omit it, or choose --host-api wasapi")
    return sd.WasapiSettings(exclusive=True)
