"""A JACK server of our own on a dummy device, so that tests reach PortAudio without a sound card."""

import ctypes.util
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

import pytest

SAMPLE_RATE = 48_000
# jack_client_open with JackNoStartServer | JackServerName
_PROBE = """
import ctypes, sys
jack = ctypes.CDLL(sys.argv[1])
jack.jack_client_open.restype = ctypes.c_void_p
sys.exit(not jack.jack_client_open(b"probe", 0x1 | 0x4, None, sys.argv[2].encode()))
"""


class JackServer:
    """`jackd -d dummy` on a private server name; `environment` leads a client to it."""

    def __init__(self, library: str) -> None:
        self.name = f"cmaudio-{uuid.uuid4().hex[:8]}"
        self.environment = {**os.environ, "JACK_DEFAULT_SERVER": self.name, "JACK_NO_START_SERVER": "1"}
        self._library = library
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, wait_s: float = 15.0) -> None:
        """Start and wait until a client can connect. Raises TimeoutError."""
        command = ["jackd", "-n", self.name, "-r", "-d", "dummy", "-r", str(SAMPLE_RATE), "-p", "128"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            probe = [sys.executable, "-S", "-c", _PROBE, self._library, self.name]
            if subprocess.run(probe, capture_output=True, timeout=wait_s, check=False).returncode == 0:
                return
            time.sleep(0.1)
        self.stop()
        raise TimeoutError(f"jackd was not ready within {wait_s} s")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
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


def running_jack_server() -> Iterator[JackServer]:
    """The body of the `jack_server` fixture. Skips where jackd, libjack or PortAudio is missing."""
    library = ctypes.util.find_library("jack")
    if shutil.which("jackd") is None or library is None:
        pytest.skip("needs jackd (apt install jackd2)")
    if ctypes.util.find_library("portaudio") is None:
        pytest.skip("needs PortAudio (apt install libportaudio2)")
    server = JackServer(library)
    try:
        server.start()
    except TimeoutError as error:
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.stop()
