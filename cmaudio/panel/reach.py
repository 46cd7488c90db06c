"""How other devices on the network reach the panel: its address, and a QR code of it."""

from __future__ import annotations

import importlib.util
import io
import re
import shlex
import socket
from collections.abc import Sequence
from dataclasses import dataclass

LOOPBACK, EVERYWHERE = ("127.0.0.1", "localhost", "::1"), ("0.0.0.0", "::")
_ELSEWHERE = (  # reserved for documentation (RFC 5737, RFC 3849): connecting a datagram socket to it sends nothing
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)


@dataclass(frozen=True)
class Address:
    """The address of the page; clients need the `token` unless it is None."""

    host: str
    port: int
    token: str | None

    @property
    def url(self) -> str:
        """The URL for a browser on this machine, including the token."""
        return self._at({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host))

    @property
    def reach(self) -> str | None:
        """The URL for browsers on other devices, including the token; None if they cannot reach the page."""
        if self.host in LOOPBACK:
            return None
        host = own_address() if self.host in EVERYWHERE else self.host
        return None if host is None else self._at(host)

    def _at(self, host: str) -> str:
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}/" + (f"?token={self.token}" if self.token else "")


def own_address() -> str | None:
    """The address of this machine in its network; None without one."""
    for family, elsewhere in _ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as found:
                found.connect((elsewhere, 9))
                return str(found.getsockname()[0])
        except OSError:
            continue
    return None


def reachable_command(arguments: Sequence[str] = ("panel",)) -> str:
    """The command that starts the panel for other devices as well.

    Args:
        arguments: of the command that runs; they are kept, other than its host.
    """
    kept = re.sub(r"(^|\0)--host(=|\0)[^\0]*", "", "\0".join(arguments)).split("\0")
    return shlex.join(["cmaudio", *kept, "--host", EVERYWHERE[0]])


def qr_svg(text: str) -> str | None:
    """A QR code as an SVG element; None if the package segno is missing."""
    if importlib.util.find_spec("segno") is None:
        return None
    import segno

    return str(segno.make(text, micro=False).svg_inline(scale=6, border=3, light="#fff"))


def qr_terminal(text: str) -> str | None:
    """A QR code for a terminal; None if the package segno is missing."""
    if importlib.util.find_spec("segno") is None:
        return None
    import segno

    drawn = io.StringIO()
    segno.make(text, micro=False).terminal(drawn, border=2, compact=True)
    return drawn.getvalue()
