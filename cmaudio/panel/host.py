"""The instrument's side of the panel: it runs the page's server as a child process and exchanges messages with it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.handler import CommandHandler
from cmaudio.panel.introduction import introduction
from cmaudio.panel.pipe import Pipe, PipeListener, unstamped
from cmaudio.panel.reach import Address, reachable_command
from cmaudio.panel.server_messages import (
    Disconnected,
    Failed,
    Listening,
    Ready,
    ServerMessage,
    parse_server_message,
)
from cmaudio.panel.state_updates import StateUpdates
from cmaudio.synth import Synth

_RESTART = reachable_command()
_UPDATE_SECONDS = 0.05
_START_SECONDS = 60.0
_END_SECONDS = 5.0
_WATCH_SECONDS = 0.2
_SHORT_LIFE_SECONDS, _MAX_SHORT_LIVES = 10.0, 3


class Host:
    """Runs the page's server beside an instrument until it is closed, and restarts a server that dies.

    Args:
        synth: the instrument.
        address: where to serve the page.
        files: the folder for takes and variations.
        clock: the output that plays in the page.
        on_notice: called when the server dies.
        restart: the command that would serve the page to other devices, shown where it is not.

    Raises CmaudioError if the server cannot start, for example because its port is taken.
    """

    def __init__(
        self,
        synth: Synth,
        address: Address,
        files: Path,
        clock: ClockOutput,
        on_notice: Callable[[str], None],
        restart: str = _RESTART,
    ) -> None:
        self.synth, self.address, self._on_notice = synth, address, on_notice
        self._faults = Faults(on_notice)
        self._reach = {"reach": address.reach, "restart": restart}
        self.handler = CommandHandler(synth, files, clock, self.tell)
        clock.on_packet = self._send_packet
        self._pipe: Pipe | None = None
        self._listened = False  # whether any page plays the sound
        self._ready = threading.Event()
        self._failure = ""
        self._ending = threading.Event()
        self._listener = PipeListener()
        self._process = self._spawn()
        threading.Thread(target=self._accept, name="cmaudio-panel-pipe", daemon=True).start()
        threading.Thread(target=self._update, name="cmaudio-panel-state", daemon=True).start()
        self._wait_until_ready()
        threading.Thread(target=self._watch, name="cmaudio-panel-server", daemon=True).start()

    @property
    def server_pid(self) -> int:
        """Process id of the current server."""
        return self._process.pid

    def tell(self, message: dict[str, Any]) -> None:
        """Send the pages a message; dropped when the server is far behind."""
        pipe = self._pipe
        if pipe is not None:
            pipe.send(message, droppable=True)

    def close(self) -> None:
        """End the server and everything that the pages have started."""
        self._ending.set()
        pipe = self._pipe
        if pipe is not None:
            pipe.flush_and_close()
        self._listener.close()
        self._end_process()
        self.handler.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "cmaudio.panel.web.server"],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the command, which ends the server gracefully
        )
        settings = asdict(self.address) | {
            "pipe_port": self._listener.port,
            "pipe_key": base64.b64encode(self._listener.key).decode(),
            "files": str(self.handler.takes.folder.resolve()),
        }
        assert process.stdin
        with suppress(OSError):
            process.stdin.write(json.dumps(settings).encode() + b"\n")
            process.stdin.flush()
        return process

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while not self._ready.wait(0.05):
            if self._failure or self._process.poll() is not None or time.monotonic() > until:
                self.close()
                raise CmaudioError(self._failure or "the panel's server did not start; its output is above")

    def _end_process(self) -> None:
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin
        with suppress(OSError):
            self._process.stdin.close()

    def _accept(self) -> None:
        while (pipe := self._listener.accept()) is not None:
            before, self._pipe = self._pipe, None
            if before is not None:
                before.close()
            if self._faults.attempt("the page could not be shown and is tried again", self._welcome, pipe):
                self._pipe = pipe
            else:
                pipe.close()  # ends the server, which is started again

    def _welcome(self, pipe: Pipe) -> bool:
        pipe.send(introduction(self.synth, self.handler.takes.folder) | self._reach)
        pipe.start(self._receive, partial(self._lost, pipe))
        return True

    def _receive(self, data: bytes) -> None:
        client, body = unstamped(data)
        if client:
            self.handler.take(client, body)
        else:
            self._follow_server(parse_server_message(body))

    def _follow_server(self, message: ServerMessage) -> None:
        match message:
            case Ready():
                self._ready.set()
            case Failed(text=text):
                self._failure = text
            case Listening(on=on):
                self._listened = on
            case Disconnected(client=client):
                self.handler.disconnect(client)

    def _lost(self, pipe: Pipe) -> None:
        if self._pipe is pipe:
            self._pipe, self._listened = None, False
        self.handler.disconnect_all()

    def _send_packet(self, packet: bytes) -> None:
        pipe = self._pipe
        if pipe is not None and self._listened:
            pipe.send({"kind": "audio", "pcm": base64.b64encode(packet).decode()}, droppable=True)

    def _update(self) -> None:
        updates: StateUpdates | None = None
        followed: Pipe | None = None
        while not self._ending.wait(_UPDATE_SECONDS):
            pipe = self._pipe
            if pipe is not followed:
                if updates is not None:
                    updates.close()
                updates, followed = None if pipe is None else StateUpdates(self.handler), pipe
            if updates is not None and pipe is not None:
                self._faults.attempt("the page missed an update", self._send_update, updates, pipe)

    def _send_update(self, updates: StateUpdates, pipe: Pipe) -> None:
        pipe.send(updates.message())
        for text in updates.notices():
            pipe.send({"kind": "notice", "text": text})

    def _watch(self) -> None:
        """Restart a server that dies, but give up if it keeps dying immediately."""
        began, short_lives = time.monotonic(), 0
        while not self._ending.wait(_WATCH_SECONDS):
            if self._process.poll() is None:
                continue
            short_lives = short_lives + 1 if time.monotonic() - began < _SHORT_LIFE_SECONDS else 1
            if short_lives > _MAX_SHORT_LIVES:
                self._on_notice("the panel's server keeps dying; the sound continues, Ctrl-C ends it")
                return
            self._on_notice("the panel's server died; restarting it")
            began = time.monotonic()
            self._process = self._faults.attempt("the panel's server cannot start", self._spawn) or self._process
