"""The engine's process: it plays, keeps the page's server running as a child, and talks with it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.handler import CommandHandler
from cmaudio.panel.link import Link, LinkListener
from cmaudio.panel.state_updates import StateUpdates, introduction
from cmaudio.synth import Synth

_EVERY_SECONDS = 0.05
_START_SECONDS = 60.0
_END_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_SHORT_LIFE_SECONDS, _SHORT_LIVES = 10.0, 3


@dataclass(frozen=True)
class Address:
    """Where the page is: `token` is asked for unless it is None."""

    host: str
    port: int
    token: str | None

    @property
    def url(self) -> str:
        """What the browser is given."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
            self.host, f"[{self.host}]" if ":" in self.host else self.host
        )
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")


class Host:
    """Runs the page's server beside an instrument, until it is closed. A server that dies is started again.

    Raises CmaudioError where the server cannot start (its port is taken).
    """

    def __init__(
        self, synth: Synth, address: Address, files: Path, clock: ClockOutput, on_notice: Callable[[str], None]
    ) -> None:
        self.synth, self.address, self._on_notice = synth, address, on_notice
        self.handler = CommandHandler(synth, files, clock, self.tell)
        clock.on_packet = self._packet
        self._link: Link | None = None
        self._ready = threading.Event()
        self._failure = ""
        self._ending = threading.Event()
        self._listener = LinkListener()
        self._process = self._spawn()
        threading.Thread(target=self._admit, name="cmaudio-panel-link", daemon=True).start()
        threading.Thread(target=self._report, name="cmaudio-report", daemon=True).start()
        self._wait_until_ready()
        threading.Thread(target=self._watch, name="cmaudio-server", daemon=True).start()

    def tell(self, message: dict[str, Any]) -> None:
        """Send the page a message, if there is one."""
        link = self._link
        if link is not None:
            link.send(message)

    def close(self) -> None:
        """End the server, and what the page began."""
        self._ending.set()
        link = self._link
        if link is not None:
            link.flush_and_close()
        self._listener.close()
        self._end_process()
        self.handler.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "cmaudio.panel.web.server"],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the command, which ends the server in good order
        )
        told = asdict(self.address) | {
            "link_port": self._listener.port,
            "link_key": base64.b64encode(self._listener.key).decode(),
            "files": str(self.handler.takes.folder.resolve()),
        }
        assert process.stdin
        with suppress(OSError):
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
        return process

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while not self._ready.wait(0.05):
            if self._failure or self._process.poll() is not None or time.monotonic() > until:
                self.close()
                raise CmaudioError(self._failure or "the panel's server did not start; what it said is above")

    def _end_process(self) -> None:
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin
        with suppress(OSError):
            self._process.stdin.close()

    def _admit(self) -> None:
        while (link := self._listener.accept()) is not None:
            before, self._link = self._link, None
            if before is not None:
                before.close()
            link.send(introduction(self.handler))
            link.start(self._take, partial(self._lost, link))
            self._link = link

    def _take(self, data: bytes) -> None:
        """A message of the server: one of its own, or a command."""
        if data.startswith(b'{"kind":"ready"'):
            self._ready.set()
        elif data.startswith(b'{"kind":"failed"'):
            self._failure = str(json.loads(data)["text"])
        else:
            self.handler.take(data)

    def _lost(self, link: Link) -> None:
        if self._link is link:
            self._link = None
        self.handler.release()

    def _packet(self, packet: bytes) -> None:
        link = self._link
        if link is not None and self.handler.listened:
            link.send({"kind": "audio", "pcm": base64.b64encode(packet).decode()}, droppable=True)

    def _report(self) -> None:
        report: StateUpdates | None = None
        of: Link | None = None
        while not self._ending.wait(_EVERY_SECONDS):
            link = self._link
            if link is not of:
                if report is not None:
                    report.end()
                report, of = None if link is None else StateUpdates(self.handler), link
            if report is not None and link is not None:
                try:
                    link.send(report.changes())
                    for text in report.notices():
                        link.send({"kind": "notice", "text": text})
                except Exception:  # a page without a meter for a moment, rather than none from now on
                    sys.excepthook(*sys.exc_info())

    def _watch(self) -> None:
        """Start a server that ended again; not for ever, where it ends at once each time."""
        began, short = time.monotonic(), 0
        while not self._ending.wait(_LOOK_SECONDS):
            if self._process.poll() is None:
                continue
            short = short + 1 if time.monotonic() - began < _SHORT_LIFE_SECONDS else 1
            if short > _SHORT_LIVES:
                self._on_notice("the panel's server ends at once each time; the sound goes on, and Ctrl-C ends it")
                return
            self._on_notice("the panel's server ended unexpectedly: starting it again")
            began, self._process = time.monotonic(), self._spawn()
