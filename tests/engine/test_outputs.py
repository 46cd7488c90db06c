"""MIDI channels on pairs of outputs of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.signal.pairs import sum_of_pairs

SAMPLES = 24_000


def duet(model: Model, routes: dict[int, int], read: int = SAMPLES, sent: float = 0.5, **settings: Any) -> Float:
    """Two channels, one of which sends to the reverb."""
    engine = Engine(model, seed=1, channels=2, **settings)
    engine.express("reverb", sent, 1, at=0)
    for channel, pair in routes.items():
        engine.route(channel, pair, at=0)
    engine.note_on(60, 90, timbre="flute", channel=0, at=0).off(at=9000)
    engine.note_on(67, 90, timbre="violin", channel=1, at=3000).off(at=9000)
    return np.concatenate([engine.read(min(read, SAMPLES - start)) for start in range(0, SAMPLES, read)])


@pytest.mark.parametrize(
    ("routes", "pairs", "main"),
    [({}, 2, 1), ({1: 2}, 2, 1), ({0: 3, 1: 2}, 3, 1), ({1: 1}, 4, 3), ({0: 2, 1: 2}, 2, 2)],
)
def test_the_pairs_add_up_to_the_mix(model: Model, routes: dict[int, int], pairs: int, main: int) -> None:
    sides = duet(model, routes, pairs=pairs, pair=main)
    assert sides.shape == (SAMPLES, 2 * pairs)
    np.testing.assert_allclose(sum_of_pairs(sides), duet(model, {}), atol=1e-6)


def test_a_channel_plays_on_its_pair_and_its_reverb_in_the_mix(model: Model) -> None:
    sides, dry = (duet(model, {1: 2}, pairs=3, sent=sent) for sent in (0.5, 0.0))
    mix, own, unused = sides[:, :2], sides[:, 2:4], sides[:, 4:]
    assert not unused.any()
    assert not own[:2900].any(), "the first channel is elsewhere"
    assert np.abs(own[3500:9000]).max() > 0.01
    np.testing.assert_array_equal(own, dry[:, 2:4])
    assert np.abs(mix - dry[:, :2]).max() > 1e-3


@pytest.mark.parametrize("read", [1, 65, 8193])
def test_sizes_of_reads_do_not_matter(model: Model, read: int) -> None:
    np.testing.assert_allclose(duet(model, {1: 2}, read=read, pairs=2), duet(model, {1: 2}, pairs=2), atol=1e-4)


def test_sounding_notes_stay_where_they_are(model: Model) -> None:
    engine = Engine(model, channels=2, pairs=2)
    engine.note_on(60, timbre="flute", at=0)
    engine.route(0, 2, at=6000)
    engine.note_on(64, timbre="flute", at=12_000)
    engine.route(0, None, at=18_000)
    engine.read(64)
    sides = engine.read(SAMPLES)
    assert not sides[:12_000, 2:].any()
    assert sides[15_000:, 2:].any()
    assert np.abs(np.diff(sides[:, 0])).max() < 0.05


def test_a_recording_is_the_sum(model: Model) -> None:
    recorder = Recorder(Engine(model, channels=2, pairs=2))
    recorder.engine.route(0, 2)
    recorder.engine.note_on(60, timbre="flute")
    heard = recorder.read(9000)
    assert (recorder.channels, recorder.recorded_channels) == (4, 2)
    np.testing.assert_array_equal(np.concatenate([*recorder.samples(0, 9000)]), sum_of_pairs(heard))
    assert recorder.engine.state().correlation < 1


@pytest.mark.parametrize(
    ("settings", "route", "message"),
    [
        ({"pairs": 2}, (0, 3), "no output pair 3: 2 are open; .*--pairs"),
        ({"pairs": 2}, (0, True), "no output pair True"),
        ({}, (0, 2), "no output pair 2: 1 are open"),
        ({"pairs": 2}, (16, 1), "channel must be a whole number from 0 to 15"),
        ({"pairs": 0}, None, "pairs must be a whole number from 1 to 32"),
        ({"pairs": 2, "pair": 3}, None, "pair must be a whole number from 1 to 2"),
        ({"channels": 1, "pairs": 2}, None, "mono instrument has no output pairs"),
    ],
)
def test_wrong_pairs_are_refused(
    model: Model, settings: dict[str, Any], route: tuple[int, int] | None, message: str
) -> None:
    def ask() -> None:
        engine = Engine(model, **{"channels": 2, **settings})
        if route is not None:
            engine.route(*route)

    with pytest.raises(CmaudioError, match=message):
        ask()


@pytest.mark.parametrize("ask", ["channel", "instrument", "note"])
def test_what_one_channel_cannot_play_is_told_once(model: Model, ask: str) -> None:
    told: list[str] = []
    engine = Engine(model, channels=1)
    engine.allocator.mono_notice.listen(told.append)
    note = engine.note_on(60, timbre="flute")
    engine.express("pan", 0, 0)
    engine.express("vibrato", 0.5, 0)
    engine.read(64)
    assert not told
    for value in (0.5, -0.5):
        if ask == "note":
            note.express("pan", value)
        else:
            engine.express("pan", value, 0 if ask == "channel" else None)
    engine.read(64)
    assert told == ["pan has no effect: the instrument is mono; use channels=2"]


def test_without_a_listener_python_warns(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.express("reverb", 0.5)
    with pytest.warns(UserWarning, match="reverb has no effect: the instrument is mono"):
        engine.read(64)
