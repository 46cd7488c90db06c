"""The player on a real PortAudio device: a JACK server with a dummy sound card."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fixtures.jack import JackServer

# The device tests run in processes of their own: PortAudio looks for JACK once, and a dead server leaves it hanging.
DEVICE_TEST = """
import os, signal, sys, time
import numpy as np
from cmaudio.output.devices import list_devices
from cmaudio.output.player import Player
from cmaudio.output.source import Source

class Sine(Source):
    sample_rate, made_samples = int(sys.argv[1]), 0
    def read(self, n):
        times = np.arange(self.made_samples, self.made_samples + n) / self.sample_rate
        self.made_samples += n
        return (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)

def wait_for(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, player.state()
        time.sleep(0.01)

def signal_server(name):
    os.kill(int(sys.argv[2]), getattr(signal, name))

source = Sine()
assert [device.is_default for device in list_devices()] == [True]
player = Player(source).start()
"""


def run_device_test(server: JackServer, code: str, sample_rate: int = 48_000) -> None:
    command = [sys.executable, "-c", DEVICE_TEST + code, str(sample_rate), str(server.pid)]
    result = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("done"), result.stdout


@pytest.mark.parametrize("sample_rate", [48_000, 24_000])
def test_device_plays_without_underruns(jack_server: JackServer, sample_rate: int) -> None:
    code = """
wait_for(lambda: player.state().counters.played_samples >= 2 * 48_000)
counters = player.state().counters
player.close()
assert counters.underruns == counters.underrun_samples == 0, counters
assert abs(counters.peak - 0.3) < 0.01, counters
print("done")
"""
    run_device_test(jack_server, code, sample_rate)


def test_stopped_server_is_lost_and_returns(jack_server: JackServer) -> None:
    code = """
signal_server("SIGSTOP")
wait_for(lambda: player.state().status == "lost")
made = source.made_samples
wait_for(lambda: source.made_samples > made + 24_000)
signal_server("SIGCONT")
wait_for(lambda: player.state().status == "playing")
played = player.state().counters.played_samples
wait_for(lambda: player.state().counters.played_samples > played + 24_000)
assert "back" in player.state().notices[-1]
player.close()
print("done")
"""
    run_device_test(jack_server, code)


def test_after_a_restart_of_the_server_it_plays_again(jack_server: JackServer) -> None:
    """PortAudio waits ten minutes for a server that has ended, so the player goes on with a fresh copy of it."""
    code = """
import atexit
from cmaudio.bench.jack import JackServer
server = JackServer()
atexit.register(server.stop)  # registered first, it runs after PortAudio has ended, which needs its server for that
server.name = os.environ["JACK_DEFAULT_SERVER"]
for time_of in range(2):
    server.stop(signal.SIGKILL) if time_of else signal_server("SIGTERM")
    wait_for(lambda: player.state().status == "lost")
    made = source.made_samples
    wait_for(lambda: source.made_samples > made + 24_000)
    server.start()
    wait_for(lambda: player.state().status == "playing")
    played = player.state().counters.played_samples
    wait_for(lambda: player.state().counters.played_samples > played + 24_000)
name = "system, JACK Audio Connection Kit"
assert player.state().notices == (f"lost {name}: playback continues silently until it is back", f"{name} is back") * 2
began = time.monotonic()
player.close()
assert time.monotonic() - began < 10
print("done")
"""
    run_device_test(jack_server, code)


def test_without_its_server_the_player_closes(jack_server: JackServer) -> None:
    code = """
signal_server("SIGKILL")
wait_for(lambda: player.state().status == "lost")
began = time.monotonic()
player.close()
assert time.monotonic() - began < 10
print("done")
"""
    run_device_test(jack_server, code)


def test_unknown_device_is_named(jack_server: JackServer) -> None:
    code = """
player.close()
from cmaudio.errors import CmaudioError
try:
    Player(source, device="Theremin").start()
except CmaudioError as error:
    assert "system, JACK Audio Connection Kit" in str(error), error
    print("done")
"""
    run_device_test(jack_server, code)


def test_a_script_that_ends_without_closing_ends_quietly(jack_server: JackServer) -> None:
    code = """
wait_for(lambda: player.state().counters.played_samples >= 4_800)
print("done")
"""
    for _ in range(3):  # without the handler at exit half of the runs aborted
        run_device_test(jack_server, code)
