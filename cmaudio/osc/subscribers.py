"""Who is told: clients that asked for it, and those that were named when the server was started."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING

from cmaudio.errors import CmaudioError
from cmaudio.osc.sender import OscSender, source_name

if TYPE_CHECKING:
    from cmaudio.synth import Synth

Peer = tuple[str, int]
MOST = 8
_GONE_SECONDS = 5.0


def is_loopback(host: str) -> bool:
    """Whether an address (not a name) is this machine's own."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class Subscribers:
    """The senders of a server. remote: clients on other machines may ask too."""

    def __init__(self, synth: Synth, remote: bool) -> None:
        self._synth, self._remote = synth, remote
        self._senders: dict[tuple[Peer, Peer], OscSender] = {}  # by who asked, and where it is sent
        self.named: list[OscSender] = []

    def name(self, host: str, port: int) -> None:
        """Tell this client, as the one who starts the server wants it."""
        self.named.append(OscSender(self._synth, host, port))

    def add(self, peer: Peer, port: int | None, server: Peer) -> None:
        """Tell a client that asked from `peer`. Raises CmaudioError where that is not allowed."""
        target = (peer[0], peer[1] if port is None else port)
        if not self._remote and not is_loopback(peer[0]):
            raise CmaudioError("only clients on the server's machine may subscribe; start it with remote subscribers")
        if target[1] == server[1] and is_loopback(peer[0]):
            raise CmaudioError(f"port {target[1]} is the server's own; give the one at which the client listens")
        self.remove(peer, target[1])
        for key in [k for k, s in self._senders.items() if _gone(s)]:
            self._senders.pop(key).close(wait=False)
        if len(self._senders) >= MOST:
            raise CmaudioError(f"{MOST} clients are told already; let one /cmaudio/unsubscribe")
        self._senders[peer, target] = OscSender(self._synth, *target, own=source_name(*peer))

    def remove(self, peer: Peer, port: int | None) -> None:
        """Tell a client no more: at one port of its machine, or all that it asked for from this port."""
        for asked, target in list(self._senders):
            if (target == (peer[0], port)) if port is not None else (asked == peer):
                self._senders.pop((asked, target)).close(wait=False)

    def __len__(self) -> int:
        return len(self._senders)

    def close(self) -> None:
        """Tell nobody any more."""
        for sender in (*self._senders.values(), *self.named):
            sender.close()


def _gone(sender: OscSender) -> bool:
    return sender.refused_since is not None and time.monotonic() - sender.refused_since > _GONE_SECONDS
