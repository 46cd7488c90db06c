"""A private JACK server on a dummy device: it needs no sound card, and it reports late periods."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

SAMPLE_RATE = 48_000
PERIOD_SAMPLES = 128
# jack_client_open with JackNoStartServer | JackServerName
_PROBE = """
import ctypes, sys
jack = ctypes.CDLL(sys.argv[1])
jack.jack_client_open.restype = ctypes.c_void_p
sys.exit(not jack.jack_client_open(b"probe", 0x1 | 0x4, None, sys.argv[2].encode()))
"""
_XRUNS: dict[bytes, Literal["server", "client"]] = {
    b"JackTimedDriver::Process XRun": "server",
    b"JackEngine::XRun": "client",
}


@dataclass(frozen=True)
class Xrun:
    """A late period: `at_s` on the clock of `time.monotonic`; the server's own timer or a client was late."""

    at_s: float
    late: Literal["server", "client"]


def what_is_missing() -> str | None:
    """Describes what this system lacks to run PortAudio on a JACK server, with the remedy; None if nothing."""
    if shutil.which("jackd") is None or ctypes.util.find_library("jack") is None:
        return "needs jackd (apt install jackd2)"
    if ctypes.util.find_library("portaudio") is None:
        return "needs PortAudio (apt install libportaudio2)"
    return None


def may_be_realtime() -> bool:
    """Whether this user's programs may have real-time priority, which audio servers request."""
    granted: list[bool] = []

    def ask() -> None:  # on a separate thread, which takes the priority with it
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except (AttributeError, OSError):
            return
        granted.append(True)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return bool(granted)


class JackServer:
    """`jackd -d dummy` on a private server name; a process with `environment` connects to it.

    With `realtime`, the server and the audio threads of its clients have real-time priority, jackd's default.

    jackd prints a line for every late period, which is what `xruns` counts. PortAudio's underflow flag is coarser: it
    merges all notifications between two callbacks into one.
    """

    def __init__(self, *, realtime: bool = False) -> None:
        self.name = f"cmaudio-{uuid.uuid4().hex[:8]}"
        self.environment = {**os.environ, "JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}
        self._realtime = realtime
        self._library = ctypes.util.find_library("jack") or "libjack.so.0"
        self._process: subprocess.Popen[bytes] | None = None
        self._xruns: list[Xrun] = []

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, wait_s: float = 15.0) -> None:
        """Start, and wait until a client can connect. Raises TimeoutError."""
        priority = "-R" if self._realtime else "-r"
        device = ["-d", "dummy", "-r", str(SAMPLE_RATE), "-p", str(PERIOD_SAMPLES)]
        command = ["jackd", "-n", self.name, priority, *device]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            probe = [sys.executable, "-S", "-c", _PROBE, self._library, self.name]
            if subprocess.run(probe, capture_output=True, timeout=wait_s, check=False).returncode == 0:
                return
            time.sleep(0.1)
        self.stop()
        raise TimeoutError(f"jackd was not ready within {wait_s} s")

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self._xruns += [Xrun(time.monotonic(), late) for text, late in _XRUNS.items() if line.startswith(text)]

    def xruns(self, since_s: float, until_s: float) -> list[Xrun]:
        """Late periods between two times of `time.monotonic`."""
        return [xrun for xrun in tuple(self._xruns) if since_s <= xrun.at_s < until_s]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, by SIGKILL if need be; does nothing if it is not running."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(how)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextmanager
def jack_server(realtime: bool = False) -> Iterator[JackServer]:
    """A running server, stopped at the end. Raises TimeoutError if it does not start."""
    server = JackServer(realtime=realtime)
    try:
        server.start()
        yield server
    finally:
        server.stop()
