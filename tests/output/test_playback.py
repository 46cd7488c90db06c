"""The player: on a fake stream for everything but the device itself, on a JACK server of our own for that."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.jack import JackServer

from cmaudio.errors import CmaudioError
from cmaudio.output.player import Device, Player, find_device
from cmaudio.output.ring import FADE_SAMPLES, Ring, output_callback


class Sine:
    """A sine of 440 Hz that can be told to fail after some samples."""

    def __init__(self, sample_rate: int = 48_000, fails_after: int | None = None) -> None:
        self.sample_rate, self.made_samples, self._fails_after = sample_rate, 0, fails_after

    def read(self, n: int, /) -> npt.NDArray[np.float32]:
        if self._fails_after is not None and self.made_samples >= self._fails_after:
            raise ZeroDivisionError("the source broke")
        times = np.arange(self.made_samples, self.made_samples + n) / self.sample_rate
        self.made_samples += n
        return (0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)


class FakeStream:
    """A device that takes periods of 128 samples from a ring: by hand with `pull`, or by a thread at its own pace."""

    def __init__(self, card: "FakeCard", ring: Ring, sample_rate: int) -> None:
        self.sample_rate, self.device_name, self.ring = sample_rate, "Fake card, Fake API", ring
        self.started, self.closed, self.active = False, False, True
        self._card = card

    def start(self) -> None:
        self.started = True
        if self._card.runs:
            threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self.closed = True
        self._card.let_go.wait()

    def _run(self) -> None:
        while self.active and not self.closed and self._card.plugged:
            output_callback().drive(self.ring, 128)
            time.sleep(128 / self.sample_rate)

    def pull(self, samples: int) -> npt.NDArray[np.float32]:
        """The next samples, whenever the player has made them."""
        periods = []
        for _ in range(samples // 128):
            wait_for(lambda: self.ring.readable >= 128)
            periods.append(output_callback().drive(self.ring, 128)[:, 0])
        return np.concatenate(periods)


class FakeCard:
    """Opens fake streams: `OpenStream` for the player."""

    def __init__(self, sample_rate: int | None = None, runs: bool = False) -> None:
        self.sample_rate, self.runs, self.plugged = sample_rate, runs, True
        self.streams: list[FakeStream] = []
        self.asked: list[str | int | None] = []
        self.let_go = threading.Event()
        self.let_go.set()

    def __call__(
        self, ring: Ring, sample_rate: int, device: str | int | None, period_samples: int, rescan: bool
    ) -> FakeStream:
        if not self.plugged:
            raise CmaudioError("there is no output device")
        assert rescan == bool(self.streams)
        output_callback()  # compiling takes long enough to look like a dead device
        self.asked.append(device)
        self.streams.append(FakeStream(self, ring, self.sample_rate or sample_rate))
        return self.streams[-1]


def wait_for(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.002)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream emptied by hand must not be given up on a slow machine."""
    monkeypatch.setattr("cmaudio.output.player._SILENT_LIMIT_S", 1e9)


@pytest.mark.usefixtures("patience")
def test_fills_the_ring_before_the_stream_starts_and_plays_every_sample() -> None:
    card, source = FakeCard(), Sine()
    with Player(source, open_stream=card, lead_ms=20) as player:
        assert player.state().lead_ms >= 20
        heard = card.streams[0].pull(12_800)
        player.wake()
    expected = Sine().read(12_800)
    np.testing.assert_allclose(heard[FADE_SAMPLES:], expected[FADE_SAMPLES:], atol=1e-7)
    assert player.state().counters.missing_samples == 0
    assert player.state().status == "closed"


@pytest.mark.usefixtures("patience")
def test_lead_stays_near_what_was_asked() -> None:
    card = FakeCard()
    with Player(Sine(), open_stream=card, lead_ms=20, chunk_samples=100) as player:
        card.streams[0].pull(4_800)
        wait_for(lambda: player.state().lead_ms >= 20)
        assert card.streams[0].ring.readable < 960 + 100
        assert 0 < player.state().load < 100


@pytest.mark.usefixtures("patience")
def test_time_to_spare_is_used_and_falling_behind_is_told() -> None:
    class Busy(Sine):
        prepared = overloads = 0

        def prepare(self) -> bool:
            self.prepared += 1
            return self.prepared % 2 == 1

        def on_overload(self) -> None:
            self.overloads += 1

    card, source = FakeCard(), Busy()
    with Player(source, open_stream=card, lead_ms=20, chunk_samples=100) as player:
        card.streams[0].pull(128)
        wait_for(lambda: source.prepared > 3)
        assert source.overloads == 0, "the first filling is no falling behind"
        wait_for(lambda: player.state().lead_ms >= 20)
        output_callback().drive(card.streams[0].ring, 900)
        wait_for(lambda: source.overloads > 0)
        wait_for(lambda: player.state().lead_ms >= 20)
        overloads = source.overloads
        time.sleep(0.05)
        assert source.overloads == overloads


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no priority is asked for")
@pytest.mark.usefixtures("patience")
def test_synthesis_thread_alone_is_hurried() -> None:
    def priority() -> tuple[int, int]:
        return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.getpriority(os.PRIO_PROCESS, 0)

    class Asking(Sine):
        def read(self, n: int, /) -> npt.NDArray[np.float32]:
            self.found = priority()
            return super().read(n)

    granted = subprocess.run(
        [sys.executable, "-c", "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"],
        capture_output=True,
        check=False,
    )
    mine, source = priority(), Asking()
    with Player(source, open_stream=FakeCard(), lead_ms=20):
        assert priority() == mine
    if granted.returncode == 0:
        assert source.found[0] == os.SCHED_RR
    else:  # a plain user's player goes without, and says nothing
        assert source.found in (mine, (mine[0], -11))


@pytest.mark.usefixtures("patience")
def test_resampling_keeps_the_pitch() -> None:
    card = FakeCard(sample_rate=44_100)
    notices: list[str] = []
    with Player(Sine(24_000), open_stream=card, on_notice=notices.append) as player:
        heard = card.streams[0].pull(44_032)
        assert player.state().sample_rate == 44_100
    spectrum = np.abs(np.fft.rfft(heard[4096:36864] * np.hanning(32_768)))
    assert np.argmax(spectrum) * 44_100 / 32_768 == pytest.approx(440, abs=1)
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.01)
    assert notices == ["Fake card, Fake API refuses 24000 Hz: resampling to 44100 Hz"]


@pytest.mark.usefixtures("patience")
def test_source_error_fades_out_and_reaches_the_caller() -> None:
    card = FakeCard()
    player = Player(Sine(fails_after=9_600), open_stream=card).start()
    card.streams[0].pull(6_400)
    wait_for(lambda: (card.streams[0].pull(128).size, player.state().status)[1] == "failed")
    tail = np.concatenate([output_callback().drive(card.streams[0].ring, 128)[:, 0] for _ in range(3)])
    assert np.abs(np.diff(tail)).max() < 0.05
    assert tail[-1] == 0
    assert isinstance(player.state().failure, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError, match="the source broke"):
        player.wake()
    player.close()
    assert card.streams[0].closed


@pytest.mark.usefixtures("patience")
def test_close_raises_an_error_nobody_heard_of() -> None:
    card = FakeCard()
    player = Player(Sine(fails_after=2_048), open_stream=card, lead_ms=30).start()
    card.streams[0].pull(1_280)
    wait_for(lambda: player.state().failure is not None)
    with pytest.raises(ZeroDivisionError):
        player.close()
    player.close()


def test_source_that_fails_at_once_fails_the_start() -> None:
    card, threads = FakeCard(), threading.active_count()
    with pytest.raises(ZeroDivisionError):
        Player(Sine(fails_after=0), open_stream=card).start()
    assert card.streams[0].closed
    assert not card.streams[0].started
    assert threading.active_count() == threads


def test_nothing_grows_over_start_and_stop() -> None:
    card, threads, interval = FakeCard(runs=True), threading.active_count(), sys.getswitchinterval()
    rings = []
    for _ in range(10):
        with Player(Sine(), open_stream=card):
            rings.append(weakref.ref(card.streams[-1].ring))
            assert sys.getswitchinterval() == pytest.approx(0.00005)
        card.streams.clear()
    wait_for(lambda: threading.active_count() == threads)
    gc.collect()
    assert [ring for ring in rings if ring() is not None] == []
    assert sys.getswitchinterval() == interval
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("hangs", [False, True])
def test_device_that_vanishes_comes_back(hangs: bool) -> None:
    card, source, notices = FakeCard(runs=True), Sine(), list[str]()
    with Player(source, open_stream=card, device="fake", on_notice=notices.append) as player:
        if hangs:
            card.let_go.clear()
        card.plugged = False
        wait_for(lambda: player.state().status == "lost")
        before = source.made_samples
        wait_for(lambda: source.made_samples > before + 24_000)
        card.plugged = True
        card.let_go.set()
        wait_for(lambda: player.state().status == "playing")
        played = player.state().counters.played_samples
        wait_for(lambda: player.state().counters.played_samples > played + 4_800)
    assert "lost Fake card" in notices[0]
    assert notices[-1] == "Fake card, Fake API is back"
    assert card.asked == ["fake", "Fake card, Fake API"]


def test_another_output_is_chosen_while_it_plays() -> None:
    first, second, source, notices = FakeCard(runs=True), FakeCard(runs=True), Sine(), list[str]()
    with Player(source, open_stream=first, device="one", on_notice=notices.append) as player:
        wait_for(lambda: player.state().counters.played_samples > 0)
        player.use_device("two", second)
        before = player.state().counters.played_samples
        wait_for(lambda: player.state().counters.played_samples > before + 4_800)
        assert (first.streams[0].closed, second.asked) == (True, ["two"])
        made = source.made_samples
        second.plugged = False
        with pytest.raises(CmaudioError, match="there is no output device"):
            player.use_device("three")
        second.plugged = True
        wait_for(lambda: source.made_samples > made + 4_800)
        assert not second.streams[0].closed
        wait_for(lambda: "playing on Fake card, Fake API" in notices)
    with pytest.raises(CmaudioError, match="closed"):
        player.use_device("one")
    assert second.streams[0].closed


def test_stream_that_became_inactive_is_lost_and_close_does_not_wait_for_a_dead_device() -> None:
    card = FakeCard(runs=True)
    player = Player(Sine(), open_stream=card).start()
    card.plugged = False
    card.let_go.clear()
    card.streams[0].active = False
    wait_for(lambda: player.state().status == "lost")
    player.close()
    assert player.state().status == "closed"
    card.let_go.set()


def test_find_device_names_what_there_is() -> None:
    def device(index: int, name: str, api: str, default: bool = False) -> Device:
        return Device(index, name, api, 2, 48_000, default)

    devices = [device(1, "Speakers", "MME"), device(4, "Speakers", "WASAPI", True), device(7, "USB DAC", "WASAPI")]
    assert find_device(devices, None).index == 4
    assert find_device(devices, 7).name == "USB DAC"
    assert find_device(devices, "speakers").index == 4
    assert find_device(devices, "Speakers, MME").index == 1
    assert find_device(devices, "usb").index == 7
    for wrong in ("Theremin", 3):
        with pytest.raises(CmaudioError, match="There are: 1 Speakers, MME; 4 Speakers, WASAPI; 7 USB DAC"):
            find_device(devices, wrong)
    with pytest.raises(CmaudioError, match="several output devices"):
        find_device(devices[:1] * 2, "speak")
    with pytest.raises(CmaudioError, match="no output device: plug in"):
        find_device([], None)


def test_refuses_wrong_settings_and_a_second_start() -> None:
    with pytest.raises(CmaudioError, match="lead_ms=0"):
        Player(Sine(), lead_ms=0)
    with Player(Sine(), open_stream=FakeCard()) as player, pytest.raises(CmaudioError, match="starts once"):
        player.start()


def test_missing_portaudio_names_the_package() -> None:
    code = """
import ctypes.util
ctypes.util.find_library = lambda name: None
from cmaudio.output.player import list_devices
list_devices()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if sys.platform == "linux":
        assert "apt install libportaudio2" in result.stderr


# The device tests run in processes of their own: PortAudio looks for JACK once, and a dead server leaves it hanging.
DEVICE_TEST = """
import os, signal, sys, time
import numpy as np
from cmaudio.output.player import Player, list_devices

class Sine:
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
def test_device_plays_without_starving(jack_server: JackServer, sample_rate: int) -> None:
    code = """
wait_for(lambda: player.state().counters.played_samples >= 2 * 48_000)
counters = player.state().counters
player.close()
assert counters.starved_callbacks == counters.missing_samples == 0, counters
assert abs(counters.peak - 0.3) < 0.01, counters
print("done")
"""
    run_device_test(jack_server, code, sample_rate)


def test_device_that_stops_and_returns(jack_server: JackServer) -> None:
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


def test_killed_jack_server_leaves_a_clock_and_a_process_that_ends(jack_server: JackServer) -> None:
    """PortAudio cannot leave a dead JACK server (its close waits ten minutes): only a new process can play again."""
    code = """
signal_server("SIGKILL")
wait_for(lambda: player.state().status == "lost")
made = source.made_samples
wait_for(lambda: source.made_samples > made + 24_000)
began = time.monotonic()
player.close()
assert time.monotonic() - began < 10
print("done")
"""
    run_device_test(jack_server, code)
    jack_server.stop()
    jack_server.start()
    run_device_test(jack_server, "player.close()\nprint('done')")


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
