"""The rack: the same samples whatever the sizes of the blocks, settings on time, silence when nothing rings."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cmaudio.effects.convolution import Convolution
from cmaudio.effects.rack import EffectsRack
from cmaudio.effects.settings import SETTINGS
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

RATE = 48_000
NAMES = ("reverb", "chorus", "delay")


def sends(samples: int) -> dict[str, Float]:
    """Noise that begins and ends at times that share no grid."""
    rng, made = np.random.default_rng(0), {}
    for i, name in enumerate(NAMES):
        made[name] = np.zeros((samples, 2), np.float32)
        made[name][77 + 1001 * i : 20_003] = 0.1 * rng.standard_normal((20_003 - 77 - 1001 * i, 2), np.float32)
    return made


def planned(seed: int = 3) -> EffectsRack:
    """A rack with a bit of everything to come."""
    rack = EffectsRack(RATE, seed)
    rack.set("reverb_decay", 0.5)
    rack.set("delay_beats", 0.25)
    rack.set("delay_beats", 0.5, 7001)
    rack.set_tempo(140, 9_000)
    rack.set("reverb_kind", 3, 11_000)
    rack.set("reverb_size", 0.7, 11_000)
    response = np.exp(-np.arange(3000) / 500)[:, None] * np.random.default_rng(1).standard_normal((3000, 2)) / 20
    rack.use_space(Convolution(response.astype(np.float32), RATE), 13_001)
    rack.use_space(None, 17_500)
    return rack


def run(rack: EffectsRack, sent: dict[str, Float], sizes: tuple[int, ...] = (4096,)) -> Float:
    total = len(next(iter(sent.values())))
    main, done, turn = np.zeros((total, 2), np.float32), 0, 0
    while done < total:
        end = done + sizes[turn % len(sizes)]
        parts = {name: each[done:end] for name, each in sent.items() if each[done:end].any()}
        rack.process(main[done:end], parts)
        done, turn = end, turn + 1
    return main


@pytest.mark.parametrize("sizes", [(1,), (7, 64, 1, 100), (65,), (8193,), (64,)])
def test_sizes_of_blocks_do_not_matter(sizes: tuple[int, ...]) -> None:
    sent = sends(50_000)
    assert np.array_equal(run(planned(), sent, (50_000,)), run(planned(), sent, sizes))


def test_seeds_decide() -> None:
    sent = sends(30_000)
    first, again, other = (run(planned(seed), sent) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_sends_nothing_is_changed_or_loaded() -> None:
    rack, main = EffectsRack(RATE), np.random.default_rng(0).standard_normal((640, 2), np.float32)
    before = main.copy()
    rack.process(main, {})
    assert np.array_equal(main, before)
    assert rack.silent
    assert rack.tail == 0


def test_the_dry_sound_stays_in_the_mix() -> None:
    main, sent = np.ones((64, 2), np.float32), {"delay": np.ones((64, 2), np.float32)}
    EffectsRack(RATE).process(main, sent)
    assert np.array_equal(main, np.ones((64, 2)))  # the first echo is later


def test_falls_silent_within_its_tail() -> None:
    rack = planned()
    run(rack, sends(30_000))
    assert rack.tail > 1
    main = np.zeros((round(rack.tail * RATE) + RATE // 2, 2), np.float32)
    rack.process(main, {})
    assert rack.silent
    after = np.zeros((640, 2), np.float32)
    rack.process(after, {})
    assert not after.any()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_heard_and_takes_both_ends(name: str) -> None:
    setting, sent = SETTINGS[name], sends(60_000)
    sounds = []
    for value in (setting.min, setting.max):
        rack = EffectsRack(RATE)
        rack.set(name, value)
        sounds.append(run(rack, sent))
        assert np.isfinite(sounds[-1]).all()
    assert not np.array_equal(sounds[0], sounds[1])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("reverb_decay", 31, "reverb_decay must be a number from 0.3 to 30"),
        ("delay_feedback", 1, "delay_feedback must be a number from 0 to 0.95"),
        ("reverb_size", float("nan"), "reverb_size"),
        ("reverb_colour", 1, "no setting 'reverb_colour'"),
    ],
)
def test_bad_settings_are_refused(name: str, value: float, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        EffectsRack(RATE).set(name, value)


def test_the_echo_follows_the_tempo() -> None:
    rack, sent = EffectsRack(RATE), {"delay": np.zeros((RATE, 2), np.float32)}
    sent["delay"][0] = 1
    rack.set_tempo(150)
    rack.set("delay_beats", 0.5)
    rack.set("delay_feedback", 0)
    assert np.flatnonzero(run(rack, sent)[:, 0]).tolist() == [round(0.5 * 60 / 150 * RATE)]


def test_in_the_background_effects_join_once_they_are_loaded() -> None:
    rack, sent = EffectsRack(RATE, in_background=True), {"chorus": np.ones((4096, 2), np.float32)}
    main = np.zeros((4096, 2), np.float32)
    rack.process(main, sent)
    assert rack._loading is not None
    rack._loading.join(120)
    main[:] = 0
    rack.process(main, sent)
    assert main.any()


def test_an_idle_rack_loads_no_compiler() -> None:
    code = (
        "import sys, numpy as np; from cmaudio.effects.rack import EffectsRack; rack = EffectsRack(48000); "
        "rack.process(np.zeros((64, 2), np.float32), {}); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_after_a_failure_it_rests_and_starts_again_from_silence() -> None:
    def fail(sample: int) -> dict[str, float]:
        raise ValueError("no modulation")

    rack = planned()
    sent = {"chorus": np.random.default_rng(0).standard_normal((3 * RATE, 2), np.float32)}
    run(rack, {"chorus": sent["chorus"][:1024]})
    rack.modulation = fail
    with pytest.raises(ValueError, match="no modulation"):
        run(rack, {"chorus": sent["chorus"][:2048]})
    rack.recover()
    rack.modulation = None
    assert rack.silent
    sound = run(rack, sent, (512,))
    assert not sound[: RATE - 512].any()
    assert sound[RATE + 2048 :].any()
    assert np.isfinite(sound).all()
