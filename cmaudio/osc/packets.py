"""OSC 1.0 datagrams to messages with time tags, and messages to datagrams.

python-osc parses and builds messages. Bundles are unpacked here: python-osc loops forever on a negative size and
does not limit nesting.
"""

from __future__ import annotations

import struct
from typing import Any

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing.ntp import ntp_to_system_time

from cmaudio.errors import CmaudioError

_BUNDLE = b"#bundle\x00"
_HEAD_BYTES = 16  # "#bundle" and a time tag
_MAX_DEPTH = 8
_TAGS = frozenset(b"ifsdhTFN")
_IMMEDIATELY = (0, 1)
_SHOWN = 500


def messages(datagram: bytes, depth: int = 0) -> list[tuple[float | None, bytes]]:
    """The messages of a datagram, each with its time in seconds since 1970 UTC, None for immediately.

    Raises CmaudioError for anything but valid OSC; then the whole datagram is refused.
    """
    if not datagram.startswith(_BUNDLE):
        if not datagram.startswith(b"/"):
            raise CmaudioError("an OSC datagram must start with / or #bundle")
        return [(None, datagram)]
    if depth == _MAX_DEPTH or len(datagram) < _HEAD_BYTES:
        raise CmaudioError(f"the bundle is cut off, or nested more than {_MAX_DEPTH} deep")
    tag = datagram[8:_HEAD_BYTES]
    due = None if struct.unpack(">Q", tag)[0] in _IMMEDIATELY else ntp_to_system_time(tag)
    found: list[tuple[float | None, bytes]] = []
    at = _HEAD_BYTES
    while at < len(datagram):
        size = int.from_bytes(datagram[at : at + 4], "big", signed=True)
        at += 4
        if not 0 < size <= len(datagram) - at:
            raise CmaudioError(f"the bundle has an element of {size} bytes where {max(0, len(datagram) - at)} are left")
        for inner, message in messages(datagram[at : at + size], depth + 1):
            known = [time for time in (due, inner) if time is not None]
            found.append((max(known, default=None), message))  # an inner bundle is due no sooner than the outer one
        at += size
    return found


def decode(message: bytes) -> tuple[str, list[Any]]:
    """Address and arguments of a message. Raises CmaudioError for a damaged one and for unsupported types."""
    tags_at = (message.find(b"\0") + 4) & ~3
    tags = message[tags_at : message.find(b"\0", tags_at)]
    if tags_at < len(message) and not (tags.startswith(b",") and _TAGS.issuperset(tags[1:])):
        raise CmaudioError(
            f"arguments must be numbers, strings or booleans, not of types {tags[:20].decode('latin-1')!r}"
        )
    try:
        parsed = OscMessage(message)
    except (ParseError, ValueError) as error:
        raise CmaudioError(f"the message is damaged ({str(error)[:80]})") from error
    return parsed.address, parsed.params


def encode(path: str, *values: float | int | bool | str) -> bytes:
    """A message of 32-bit floats, integers (64-bit if necessary) and strings, the types that every client supports."""
    builder = OscMessageBuilder(path)
    for value in values:
        if isinstance(value, str):
            # Characters that cannot be sent (NUL ends a string, lone surrogates are not UTF-8) are replaced.
            builder.add_arg(value[:_SHOWN].replace("\0", " ").encode("utf-8", "replace").decode())
        else:
            builder.add_arg(int(value) if isinstance(value, bool) else value)
    return builder.build().dgram
