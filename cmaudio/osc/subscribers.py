"""The clients to which a server sends: those that subscribed, and those named when it was started."""

from __future__ import annotations

import ipaddress
import socket

from cmaudio.errors import CmaudioError
from cmaudio.instrument.instrument import Instrument
from cmaudio.osc.sender import OscSender, resolve, source_name

Peer = tuple[str, int]
MAX_SUBSCRIBERS = 8


def is_loopback(host: str) -> bool:
    """Whether an address (not a name) is this machine's own."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class Subscribers:
    """The senders of a server; they use its socket if that can reach the client.

    Args:
        synth: the instrument.
        server: the server's socket.
        remote: whether clients on other machines may subscribe.
    """

    def __init__(self, synth: Instrument, server: socket.socket, remote: bool) -> None:
        self._synth, self._server, self._remote = synth, server, remote
        self._address: Peer = server.getsockname()[:2]
        self._senders: dict[tuple[Peer, Peer], OscSender] = {}  # (subscriber, target) -> sender
        self._named: list[OscSender] = []

    def add_named(self, host: str, port: int) -> None:
        """Add a client named when the server was started."""
        self._named.append(self._sender((host, port), None))

    def add(self, peer: Peer, port: int | None) -> None:
        """Subscribe a port of the peer's machine, by default the peer's own; the oldest of too many is removed.

        Raises CmaudioError for a client that may not subscribe, and for the server's own port.
        """
        target = (peer[0], peer[1] if port is None else port)
        if not self._remote and not is_loopback(peer[0]):
            raise CmaudioError(
                "only clients on the server's machine may subscribe; start the server with remote subscribers"
            )
        if target[1] == self._address[1] and is_loopback(peer[0]):
            raise CmaudioError(f"port {target[1]} is the server's own; use the port on which the client listens")
        self.remove(peer, target[1])
        if len(self._senders) >= MAX_SUBSCRIBERS:
            self._senders.pop(next(iter(self._senders))).close(wait=False)
        self._senders[peer, target] = self._sender(target, source_name(*peer))

    def _sender(self, target: Peer, own: str | None) -> OscSender:
        family, address = resolve(*target)
        reaches = is_loopback(address[0]) or not is_loopback(self._address[0])
        through = self._server if reaches and family == self._server.family else None
        return OscSender(self._synth, *target, own=own, through=through)

    def remove(self, peer: Peer, port: int | None) -> None:
        """End a subscription of one port of the peer's machine, or all that the peer itself made."""
        for subscriber, target in list(self._senders):
            if (target == (peer[0], port)) if port is not None else (subscriber == peer):
                self._senders.pop((subscriber, target)).close(wait=False)

    def others_of(self, peer: Peer) -> list[Peer]:
        """Other subscribed ports of the peer's machine: programs often send from one port and listen on another."""
        targets = (target for _, target in list(self._senders))
        return list(dict.fromkeys(target for target in targets if target[0] == peer[0] and target != peer))

    def __len__(self) -> int:
        return len(self._senders)

    def close(self) -> None:
        """Stop all senders."""
        for sender in (*self._senders.values(), *self._named):
            sender.close()
