"""API keys: the server stores only their hashes.

A file of keys has one line per client: its name, a space, and the SHA-256 of its key in hexadecimal. The keys are
random and long, so a plain hash is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import expanded, read_text

_MOST_BYTES = 2**20
_LINE = re.compile(r"([\w.@-]{1,64}) ([0-9a-f]{64})")
_NAME = re.compile(r"[\w.@-]{1,64}")


class Keys:
    """The clients by the hash of their key.

    Args:
        names: name of the client -> SHA-256 of its key in hexadecimal.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._hashes = [(name, bytes.fromhex(digest)) for name, digest in names.items()]

    @property
    def names(self) -> dict[str, str]:
        """As given."""
        return {name: digest.hex() for name, digest in self._hashes}

    def client(self, key: str) -> str | None:
        """The name of the client with this key, None if there is none; compared in constant time."""
        given = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        found = None
        for name, known in self._hashes:
            if hmac.compare_digest(given, known):
                found = name
        return found


def read_keys(path: str | Path) -> Keys:
    """The keys of a file. Raises CmaudioError for one that cannot be read, or an invalid line."""
    names: dict[str, str] = {}
    for number, line in enumerate(read_text(expanded(path), "file of keys", _MOST_BYTES).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise CmaudioError(
                f"{path}: line {number} is not a name and a SHA-256; make lines with `cmaudio serve --new-key NAME`"
            )
        names[match[1]] = match[2]
    if not names:
        raise CmaudioError(f"{path} holds no keys; make one with `cmaudio serve --new-key NAME`")
    return Keys(names)


def add_key(path: str | Path, name: str) -> str:
    """Create a key for a client, append its hash to a file that only its owner can read, and return the key.

    Raises CmaudioError for an invalid or existing name, and a file that cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise CmaudioError(f"{name!r} cannot name a client: use up to 64 letters, digits and . _ @ -")
    file = expanded(path)
    if file.exists() and any(line.split()[:1] == [name] for line in read_text(file, "keys", _MOST_BYTES).splitlines()):
        raise CmaudioError(f"{path} has a key of {name!r} already; delete its line first, or choose another name")
    key = f"cma_{secrets.token_urlsafe(32)}"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as out:
            out.write(f"{name} {hashlib.sha256(key.encode()).hexdigest()}\n")
    except OSError as error:
        raise CmaudioError(f"{path} cannot be written ({error.strerror}); choose another file with --keys") from error
    return key
