"""Who is told: clients that asked for it, and those that were named when the server was started."""

from __future__ import annotations

import ipaddress
import socket

from cmaudio.errors import CmaudioError
from cmaudio.instrument.playable import RemotelyPlayable
from cmaudio.osc.sender import OscSender, resolve, source_name

Peer = tuple[str, int]
MOST = 8


def is_loopback(host: str) -> bool:
    """Whether an address (not a name) is this machine's own."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class Subscribers:
    """The senders of a server, by its socket where that reaches. remote: clients on other machines may ask too."""

    def __init__(self, synth: RemotelyPlayable, server: socket.socket, remote: bool) -> None:
        self._synth, self._server, self._remote = synth, server, remote
        self._address: Peer = server.getsockname()[:2]
        self._senders: dict[tuple[Peer, Peer], OscSender] = {}  # by who asked, and where it is sent
        self._named: list[OscSender] = []

    def name(self, host: str, port: int) -> None:
        """Tell this client, as the one who starts the server wants it."""
        self._named.append(self._sender((host, port), None))

    def add(self, peer: Peer, port: int | None) -> None:
        """Tell a client that asked from `peer`; where there are too many, the first gives way.

        Raises CmaudioError where that is not allowed.
        """
        target = (peer[0], peer[1] if port is None else port)
        if not self._remote and not is_loopback(peer[0]):
            raise CmaudioError("only clients on the server's machine may subscribe; start it with remote subscribers")
        if target[1] == self._address[1] and is_loopback(peer[0]):
            raise CmaudioError(f"port {target[1]} is the server's own; give the one at which the client listens")
        self.remove(peer, target[1])
        if len(self._senders) >= MOST:
            self._senders.pop(next(iter(self._senders))).close(wait=False)
        self._senders[peer, target] = self._sender(target, source_name(*peer))

    def _sender(self, target: Peer, own: str | None) -> OscSender:
        family, address = resolve(*target)
        reaches = is_loopback(address[0]) or not is_loopback(self._address[0])
        through = self._server if reaches and family == self._server.family else None
        return OscSender(self._synth, *target, own=own, through=through)

    def remove(self, peer: Peer, port: int | None) -> None:
        """Tell a client no more: at one port of its machine, or all that it asked for from this port."""
        for asked, target in list(self._senders):
            if (target == (peer[0], port)) if port is not None else (asked == peer):
                self._senders.pop((asked, target)).close(wait=False)

    def __len__(self) -> int:
        return len(self._senders)

    def close(self) -> None:
        """Tell nobody any more."""
        for sender in (*self._senders.values(), *self._named):
            sender.close()
