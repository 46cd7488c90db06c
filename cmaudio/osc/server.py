"""Listens for OSC: each message is stamped when it arrives, done at its time, and answered where it is wrong."""

from __future__ import annotations

import heapq
import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cmaudio.checks import whole_number
from cmaudio.errors import CmaudioError, unknown
from cmaudio.instrument.playable import RemotelyPlayable
from cmaudio.osc.actions import Actions, Call
from cmaudio.osc.addresses import ROOT, Address, incoming
from cmaudio.osc.flow import Flow
from cmaudio.osc.folder import SoundFolder
from cmaudio.osc.packets import decode, encode, messages
from cmaudio.osc.sender import resolve
from cmaudio.osc.subscribers import Peer, Subscribers, is_loopback
from cmaudio.osc.troubles import Troubles

DEFAULT_PORT = 9000
_AHEAD_SECONDS = 60.0
_EARLY_SECONDS = 0.02  # that a message is done before its time, so that its sample is still unmade
_MOST_AHEAD = 10_000
_WAIT_SECONDS = 0.1
_BUFFER_BYTES = 2**20
_IGNORED = tuple(f"{ROOT}/{name}" for name in ("error", "state/", "event/", "kept", "recorded"))

Work = tuple[Address, list[Any], Call]


class OscServer:
    """Made by `Synth.serve_osc`; works until it is closed.

    Args:
        port: 0 lets the system choose. host: at which it listens. files: folder for recordings, the current by default.
        send_to: a client (host, port) that is told of changes, notes and state from the start.
        remote_subscribers: clients on other machines may ask to be told.
        on_notice: is told of trouble, now and then.
    Attributes:
        address: host and port. troubles: counts what arrived and what was wrong.
    Raises CmaudioError for a port that is taken or not allowed, an unknown host, and no such folder.
    """

    def __init__(
        self,
        synth: RemotelyPlayable,
        port: int = DEFAULT_PORT,
        host: str = "127.0.0.1",
        *,
        files: str | Path | None = None,
        send_to: tuple[str, int] | None = None,
        remote_subscribers: bool = False,
        on_notice: Callable[[str], object] | None = None,
    ) -> None:
        folder = SoundFolder(files if files is not None else Path.cwd())
        self._synth, self._on_notice = synth, on_notice
        self.troubles = Troubles(self._tell)
        self._table = incoming(synth.controls.definitions, synth.model.manifest.speech is not None)
        self._flow: Flow[Work] = Flow(self._act, self._leave_out, synth.engine.allocator.polyphony)
        self._ahead: list[tuple[float, int, Work]] = []
        self._order, self._looked_s = itertools.count(), 0.0
        self._socket = _bound(host, whole_number("port", port, 0, 65535))
        self.address: Peer = self._socket.getsockname()[:2]
        self._subscribers = Subscribers(synth, self._socket, remote_subscribers)
        self._actions = Actions(synth, folder, self._subscribers, self._drop_scheduled, self._failed)
        _ = synth.controls.timbre_map  # made now and not at the first touch
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cmaudio-osc", daemon=True)
        self._begin(send_to, folder)

    def _begin(self, send_to: tuple[str, int] | None, folder: SoundFolder) -> None:
        if send_to is not None:
            try:
                self._subscribers.name(*send_to)
            except CmaudioError:
                self._socket.close()
                raise
        if not is_loopback(self.address[0]):
            self._tell(
                f"OSC is open to the network at {self.address[0]}:{self.address[1]}: whoever reaches it may play, and "
                f"write sound files into {folder.path}"
            )
        self._thread.start()

    def __enter__(self) -> OscServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Listen no more, finish files that are being written, tell nobody any more."""
        self._ending.set()
        self._thread.join()
        self._actions.close()
        self._subscribers.close()
        self._socket.close()

    def _run(self) -> None:
        wait = _WAIT_SECONDS
        while not self._ending.is_set():
            self._socket.settimeout(max(0.0005, wait))
            with suppress(OSError):  # nothing came; or, on Windows, an earlier answer was not wanted
                datagram, peer = self._socket.recvfrom(2**16)
                self._receive(datagram, peer[:2])
            now = time.perf_counter()
            while self._ahead and self._ahead[0][0] - _EARLY_SECONDS <= now:
                self._pass(heapq.heappop(self._ahead)[2], now)
            times = [t for t in (self._flow.release(now),) if t is not None]
            times += [t - _EARLY_SECONDS for t, _, _ in self._ahead[:1]]
            wait = min([_WAIT_SECONDS, *(t - now for t in times)])
            if now - self._looked_s >= _WAIT_SECONDS:
                self._looked_s = now
                self._flow.set_load(self._synth.player.state().load)
                self.troubles.notice()

    def _receive(self, datagram: bytes, peer: Peer) -> None:
        stamp, since_1970 = time.perf_counter(), time.time()
        try:
            found = messages(datagram)
        except CmaudioError as error:
            self.troubles.received += 1
            self._wrong(peer, error)
            return
        for due, message in found:
            self.troubles.received += 1
            ahead = 0.0 if due is None else max(0.0, due - since_1970)
            try:
                work = self._understood(message, peer, stamp + ahead)
                if work is None:
                    continue
                if ahead > _AHEAD_SECONDS or len(self._ahead) >= _MOST_AHEAD:
                    raise CmaudioError(f"{ahead:.0f} s ahead; at most {_MOST_AHEAD} messages wait, up to 60 s")
            except Exception as error:  # a flaw of the parser's too must not end the server
                self._wrong(peer, error)
                continue
            if ahead > _EARLY_SECONDS:
                heapq.heappush(self._ahead, (stamp + ahead, next(self._order), work))
            else:
                self._pass(work, stamp)

    def _understood(self, message: bytes, peer: Peer, seconds: float) -> Work | None:
        path, values = decode(message)
        address = self._table.get(path)
        if address is None:
            if not path.startswith(_IGNORED):  # what instruments tell: two that are linked must not quarrel
                self.troubles.wrong(
                    lambda: unknown("address", path[:100], self._table),
                    lambda text: self._reply(peer, f"{ROOT}/error", text),
                )
            return None
        arguments = address.read(values)
        return address, arguments, Call(peer, seconds, lambda path, *values: self._reply(peer, path, *values))

    def _pass(self, work: Work, now: float) -> None:
        address, arguments, _ = work
        if address.flow == "latest":
            self._flow.offer_latest((address.path, *arguments[: address.names]), work, now)
        else:
            strikes = address.flow == "strike" and arguments[1] != 0
            self._flow.offer(work, now, strikes)

    def _act(self, work: Work) -> None:
        address, arguments, call = work
        try:
            self._actions.table[address.path](call, *arguments)
        except Exception as error:  # whatever it is, the next message is none the worse for it
            self._wrong(call.peer, error)

    def _leave_out(self, work: Work) -> None:
        self.troubles.too_many(lambda text: self._reply(work[2].peer, f"{ROOT}/error", text))

    def _drop_scheduled(self) -> None:
        self._ahead.clear()
        self._flow.forget()

    def _failed(self, call: Call, error: Exception) -> None:
        self._wrong(call.peer, error)

    def _wrong(self, peer: Peer, error: Exception) -> None:
        def why() -> str:
            return str(error) if isinstance(error, CmaudioError) else f"{type(error).__name__}: {error}"

        self.troubles.wrong(why, lambda text: self._reply(peer, f"{ROOT}/error", text))

    def _reply(self, peer: Peer, path: str, *values: Any) -> None:
        with suppress(OSError):  # who does not listen is told nothing
            self._socket.sendto(encode(path, *values), peer)

    def _tell(self, text: str) -> None:
        if self._on_notice is not None:
            try:
                self._on_notice(text)
            except Exception:
                sys.excepthook(*sys.exc_info())


def _bound(host: str, port: int) -> socket.socket:
    family, address = resolve(host, port)
    listening = socket.socket(family, socket.SOCK_DGRAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise CmaudioError(
            f"OSC cannot listen at {host}:{port} ({error.strerror}); another program may have it: end that, or give "
            "another port"
        ) from error
    return listening
