"""The OSC server: stamps each message on arrival, executes it at its time, and answers errors."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cmaudio.callbacks import call_guarded
from cmaudio.checks import whole_number
from cmaudio.errors import CmaudioError, unknown
from cmaudio.faults import Faults
from cmaudio.instrument.instrument import Instrument
from cmaudio.osc.actions import Actions, Call
from cmaudio.osc.address import Address
from cmaudio.osc.addresses import ROOT, incoming
from cmaudio.osc.flow import Flow
from cmaudio.osc.folder import SoundFolder
from cmaudio.osc.inbox import BUFFER_BYTES, Inbox
from cmaudio.osc.message_log import MessageLog
from cmaudio.osc.packets import decode, encode, messages
from cmaudio.osc.schedule import Schedule
from cmaudio.osc.sender import resolve
from cmaudio.osc.subscribers import Peer, Subscribers, is_loopback

DEFAULT_PORT = 9000
_EARLY_SECONDS = 0.02  # messages are executed this early, before their sample is synthesised
_WAIT_SECONDS = 0.1
_IGNORED = tuple(f"{ROOT}/{name}" for name in ("error", "state/", "event/", "kept", "recorded"))
_TOLD_TO_SUBSCRIBERS = tuple(f"{ROOT}/{name}" for name in ("error", "kept", "recorded"))

Work = tuple[Address, list[Any], Call]


class OscServer:
    """Plays an instrument from OSC messages until it is closed; created by `Synth.serve_osc`.

    Args:
        synth: the instrument.
        port: UDP port; 0 lets the system choose.
        host: interface to listen on.
        files: the folder for recordings, by default the current one.
        send_to: host and port of a client that receives changes, notes and state from the start.
        remote_subscribers: whether clients on other machines may subscribe.
        on_notice: called with errors and dropped messages, at most every 10 seconds.

    Attributes:
        address: host and port.
        log: counts of messages and errors.

    Raises:
        CmaudioError: a port that is taken or not allowed, an unknown host, a folder that does not exist.
    """

    def __init__(
        self,
        synth: Instrument,
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
        self._faults = Faults(self._notify)
        self.log = MessageLog(self._notify)
        self._table = incoming(synth.controls.definitions, synth.model.manifest.speech is not None)
        self._flow: Flow[Work] = Flow(self._execute, self._drop, synth.engine.allocator.polyphony)
        self._schedule: Schedule[Work] = Schedule()
        self._checked_at = 0.0
        self._socket = _bound(host, whole_number("port", port, 0, 65535))
        self.address: Peer = self._socket.getsockname()[:2]
        self._inbox = Inbox(self._socket)
        self._subscribers = Subscribers(synth, self._socket, remote_subscribers)
        self._actions = Actions(
            synth, folder, self._subscribers, self._drop_scheduled, lambda call, error: self._failed(call.peer, error)
        )
        _ = synth.controls.timbre_map  # computed now, not when the first message needs it
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cmaudio-osc", daemon=True)
        self._begin(send_to, folder)

    def _begin(self, send_to: tuple[str, int] | None, folder: SoundFolder) -> None:
        if send_to is not None:
            try:
                self._subscribers.add_named(*send_to)
            except CmaudioError:
                self._socket.close()
                raise
        if not is_loopback(self.address[0]):
            self._notify(
                f"OSC is open to the network at {self.address[0]}:{self.address[1]}: whoever can reach it can play "
                f"and write sound files to {folder.path}"
            )
        self._thread.start()

    def __enter__(self) -> OscServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and sending; files that are being written are finished."""
        self._ending.set()
        self._thread.join()
        self._actions.close()
        self._subscribers.close()
        self._socket.close()

    def _run(self) -> None:
        wait: float | None = None
        while not self._ending.is_set():
            self._inbox.read(_WAIT_SECONDS if wait is None else max(0.0005, wait))
            wait = self._faults.attempt("an OSC message was left out, and the sound goes on", self._turn)

    def _turn(self) -> float:
        """Take in one datagram and execute what is due; returns the seconds to wait for more."""
        if (arrived := self._inbox.next()) is not None:
            self._receive(arrived[0], arrived[1][:2])
        now = time.perf_counter()
        wait = self._execute_due(now)
        if now - self._checked_at >= _WAIT_SECONDS:
            self._checked_at = now
            self._flow.set_load(self._synth.player.state().load)
            self.log.drop_unread(self._inbox.dropped)
            self.log.notify()
        return wait

    def _execute_due(self, now: float) -> float:
        """Execute what is due, and return the seconds to wait for more."""
        while (due := self._schedule.next_due) is not None and due - _EARLY_SECONDS <= now:
            self._offer(self._schedule.pop(), now)
        release = self._flow.release(now)
        times = [] if release is None else [release]
        if (due := self._schedule.next_due) is not None:
            times.append(due - _EARLY_SECONDS)
        return min([_WAIT_SECONDS, *(at - now for at in times)])

    def _receive(self, datagram: bytes, peer: Peer) -> None:
        now, since_1970 = time.perf_counter(), time.time()
        try:
            found = messages(datagram)
        except CmaudioError as error:
            self.log.received += 1
            self._failed(peer, error)
            return
        for due, message in found:
            self.log.received += 1
            ahead = 0.0 if due is None else max(0.0, due - since_1970)
            try:
                work = self._parse(message, peer, now + ahead)
                if work is None:
                    continue
                if ahead > _EARLY_SECONDS:
                    self._schedule.add(now, now + ahead, work)
                    continue
            except Exception as error:  # even a bug in the parser must not end the server
                self._failed(peer, error)
                continue
            self._offer(work, now)

    def _parse(self, message: bytes, peer: Peer, seconds: float) -> Work | None:
        path, values = decode(message)
        address = self._table.get(path)
        if address is None:
            if not path.startswith(_IGNORED):  # sent by other instruments: two that are linked must not exchange errors
                self.log.error(
                    lambda: unknown("address", path[:100], self._table),
                    lambda text: self._reply(peer, f"{ROOT}/error", text),
                )
            return None
        arguments = address.read(values)
        return address, arguments, Call(peer, seconds, lambda path, *values: self._reply(peer, path, *values))

    def _offer(self, work: Work, now: float) -> None:
        address, arguments, _ = work
        if address.flow == "latest":
            self._flow.offer_latest((address.path, *arguments[: address.names]), work, now)
        else:
            self._flow.offer(work, now, starts_note=address.flow == "note" and arguments[1] != 0)

    def _execute(self, work: Work) -> None:
        address, arguments, call = work
        try:
            self._actions.table[address.path](call, *arguments)
        except Exception as error:  # whatever it is, later messages must still be executed
            self._failed(call.peer, error)

    def _drop(self, work: Work) -> None:
        self.log.drop(lambda text: self._reply(work[2].peer, f"{ROOT}/error", text))

    def _drop_scheduled(self) -> None:
        self._schedule.clear()
        self._flow.clear()

    def _failed(self, peer: Peer, error: Exception) -> None:
        def describe() -> str:
            return str(error) if isinstance(error, CmaudioError) else f"{type(error).__name__}: {error}"

        self.log.error(describe, lambda text: self._reply(peer, f"{ROOT}/error", text))

    def _reply(self, peer: Peer, path: str, *values: Any) -> None:
        others = self._subscribers.others_of(peer) if path in _TOLD_TO_SUBSCRIBERS else []
        for target in (peer, *others):
            with suppress(OSError):  # a client that does not listen is not an error
                self._socket.sendto(encode(path, *values), target)

    def _notify(self, text: str) -> None:
        if self._on_notice is not None:
            call_guarded(self._on_notice, text)


def _bound(host: str, port: int) -> socket.socket:
    family, address = resolve(host, port)
    listening = socket.socket(family, socket.SOCK_DGRAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise CmaudioError(
            f"OSC cannot listen at {host}:{port} ({error.strerror}); another program may be using the "
            "port: quit it, or use another one"
        ) from error
    return listening
