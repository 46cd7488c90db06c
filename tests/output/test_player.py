"""The player on a fake card: the output buffer, overload, errors of the source, start and stop."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.fake_card import FakeCard, Sine
from fixtures.waiting import wait_for

from cmaudio.errors import CmaudioError
from cmaudio.output.callback import FADE_SAMPLES, output_callback
from cmaudio.output.player import Player

HAND_PULLED = 1e9  # `dead_after_s` of a device that a test empties by hand, however slow the machine


def test_every_sample_is_played_after_the_output_buffer_was_filled() -> None:
    card, source = FakeCard(), Sine()
    with Player(source, open_stream=card, lead_ms=20, dead_after_s=HAND_PULLED) as player:
        assert player.state().lead_ms >= 20
        heard = card.streams[0].pull(12_800)
        player.wake()
    expected = Sine().read(12_800)
    np.testing.assert_allclose(heard[FADE_SAMPLES:], expected[FADE_SAMPLES:], atol=1e-7)
    assert player.state().counters.underrun_samples == 0
    assert player.state().status == "closed"


def test_a_sample_is_heard_after_those_that_were_and_before_those_that_will_be() -> None:
    player = Player(Sine(), open_stream=FakeCard(runs=True), lead_ms=20)
    assert player.heard_at(48_000) == pytest.approx(time.perf_counter(), abs=5), "as good as now, until it plays"
    with player:
        wait_for(lambda: player.state().counters.played_samples > 4_800)
        now = time.perf_counter()
        sample = player.heard_by(now)
        assert player.heard_at(sample + 480) > player.heard_at(sample)
        assert player.place(now) > sample


def test_output_buffer_stays_near_lead_ms() -> None:
    card = FakeCard()
    with Player(Sine(), open_stream=card, lead_ms=20, chunk_samples=100, dead_after_s=HAND_PULLED) as player:
        card.streams[0].pull(4_800)
        wait_for(lambda: player.state().lead_ms >= 20)
        assert card.streams[0].ring.readable < 960 + 100
        assert 0 < player.state().load < 100


def test_source_prepares_while_the_buffer_is_full_and_learns_of_overload() -> None:
    class Busy(Sine):
        prepared = overloads = 0

        def prepare(self) -> bool:
            self.prepared += 1
            return self.prepared % 2 == 1

        def on_overload(self) -> None:
            self.overloads += 1

    card, source = FakeCard(), Busy()
    with Player(source, open_stream=card, lead_ms=20, chunk_samples=100, dead_after_s=HAND_PULLED) as player:
        card.streams[0].pull(128)
        wait_for(lambda: source.prepared > 3)
        assert source.overloads == 0, "filling the buffer for the first time is no overload"
        wait_for(lambda: player.state().lead_ms >= 20)
        output_callback().drive(card.streams[0].ring, 900)
        wait_for(lambda: source.overloads > 0)
        wait_for(lambda: player.state().lead_ms >= 20)
        overloads, prepared = source.overloads, source.prepared
        wait_for(lambda: source.prepared > prepared + 3)
        assert source.overloads == overloads


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no priority is asked for")
def test_only_the_synthesis_thread_gets_priority() -> None:
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
    with Player(source, open_stream=FakeCard(), lead_ms=20, dead_after_s=HAND_PULLED):
        assert priority() == mine
    if granted.returncode == 0:
        assert source.found[0] == os.SCHED_RR
    else:  # a plain user's player goes without, and says nothing
        assert source.found in (mine, (mine[0], -11))


def test_resampling_keeps_the_pitch() -> None:
    card = FakeCard(sample_rate=44_100)
    notices: list[str] = []
    with Player(Sine(24_000), open_stream=card, on_notice=notices.append, dead_after_s=HAND_PULLED) as player:
        heard = card.streams[0].pull(44_032)
        assert player.state().sample_rate == 44_100
    spectrum = np.abs(np.fft.rfft(heard[4096:36864] * np.hanning(32_768)))
    assert np.argmax(spectrum) * 44_100 / 32_768 == pytest.approx(440, abs=1)
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.01)
    assert notices == ["Fake card, Fake API refuses 24000 Hz: resampling to 44100 Hz"]


def test_what_cannot_be_resampled_is_silent_and_the_sound_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import soxr

    class Failing(soxr.ResampleStream):  # type: ignore[misc]
        chunks = 0

        def resample_chunk(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            Failing.chunks += 1
            if 40 <= Failing.chunks < 60:
                raise RuntimeError("resampling failed")
            return super().resample_chunk(samples)

    monkeypatch.setattr(soxr, "ResampleStream", Failing)
    card, notices = FakeCard(sample_rate=44_100), list[str]()
    player = Player(
        Sine(24_000),
        open_stream=card,
        lead_ms=20,
        chunk_samples=240,
        on_notice=notices.append,
        dead_after_s=HAND_PULLED,
    )
    with player:
        heard = card.streams[0].pull(44_032).reshape(-1, 128)
        assert player.status == "playing"
    levels = np.abs(heard).max(1)
    assert np.count_nonzero(levels == 0) * 128 == pytest.approx(20 * 441, abs=441)
    assert levels[-1] == pytest.approx(0.5, abs=0.01)
    assert [text.split(" (")[0] for text in notices[1:]] == [
        "silence was played where resampling failed: RuntimeError: resampling failed"
    ]


def test_source_error_fades_out_and_is_raised_by_wake() -> None:
    card = FakeCard()
    player = Player(Sine(fails_after=9_600), open_stream=card, dead_after_s=HAND_PULLED).start()
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


def test_close_raises_an_error_that_was_not_raised_before() -> None:
    card = FakeCard()
    player = Player(Sine(fails_after=2_048), open_stream=card, lead_ms=30, dead_after_s=HAND_PULLED).start()
    card.streams[0].pull(1_280)
    wait_for(lambda: player.state().failure is not None)
    with pytest.raises(ZeroDivisionError):
        player.close()
    player.close()


def test_start_raises_an_error_of_the_first_read() -> None:
    card, threads = FakeCard(), threading.active_count()
    with pytest.raises(ZeroDivisionError):
        Player(Sine(fails_after=0), open_stream=card).start()
    assert card.streams[0].closed
    assert not card.streams[0].started
    assert threading.active_count() == threads


def test_start_and_stop_leave_nothing_behind() -> None:
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


def test_refuses_wrong_settings_and_a_second_start() -> None:
    with pytest.raises(CmaudioError, match="lead_ms=0"):
        Player(Sine(), lead_ms=0)
    with Player(Sine(), open_stream=FakeCard()) as player, pytest.raises(CmaudioError, match="started only once"):
        player.start()
