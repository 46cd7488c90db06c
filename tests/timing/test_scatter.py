"""Scattered sounds: by density, on a grid or free; the same seed scatters the same events; spreads and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT, RATE, ClockRig

from cmaudio.errors import CmaudioError
from cmaudio.score.events import NoteOn
from cmaudio.timing.scatter import Scatter
from cmaudio.timing.scattering import Event, Scattering, event_of

BUSY: dict[str, Any] = {"density": 12.0, "seconds": 0.05}


def scattered(model: TinyModel, seconds: float = 4, **settings: Any) -> list[tuple[int, int]]:
    """Samples and pitches of what is scattered in some seconds."""
    rig = ClockRig(model.model, polyphony=16)
    rig.clock.scatter(**(BUSY | settings))
    rig.read_to(seconds * RATE)
    return rig.onsets


@pytest.mark.parametrize("settings", [{}, {"grid": 0.125}, {"pitch_spread": 12.0, "seed": 9}])
def test_the_same_seed_scatters_the_same_events(tiny: TinyModel, settings: dict[str, Any]) -> None:
    first = scattered(tiny, **settings)
    assert len(first) > 10
    assert scattered(tiny, **settings) == first
    assert scattered(tiny, **{**settings, "seed": 5}) != first


@pytest.mark.parametrize("density", [2.0, 8.0, 25.0])
def test_as_many_fall_as_the_density_says(density: float) -> None:
    waits = [event_of(Scattering(density=density), number).wait / density for number in range(2000)]
    assert 2000 / sum(waits) == pytest.approx(density, rel=0.06)
    assert np.std(waits) == pytest.approx(1 / density, rel=0.1), "independent of each other"


@pytest.mark.parametrize(("grid", "density"), [(0.5, 1.0), (0.25, 4.0), (1.0, 50.0)])
def test_on_a_grid_they_fall_on_multiples_and_none_twice(tiny: TinyModel, grid: float, density: float) -> None:
    onsets = [at for at, _ in scattered(tiny, 6, grid=grid, density=density)]
    assert onsets
    assert all(at % (grid * BEAT) == 0 for at in onsets)
    assert len(set(onsets)) == len(onsets)
    places = 6 * RATE / BEAT / grid
    assert abs(len(onsets) - min(1.0, density * grid * BEAT / RATE) * places) <= 3 * np.sqrt(places) / 2


@pytest.mark.parametrize(
    ("field", "settings", "low", "high"),
    [
        ("pitch", {"pitch": 60, "pitch_spread": 7}, 53, 67),
        ("pitch", {"pitch": 125, "pitch_spread": 7}, 118, 127),
        ("level_db", {"level_spread": 12}, -12, 0),
        ("pan", {"pan_spread": 0.5}, -0.5, 0.5),
        ("distance", {"distance_spread": 0.4}, 0, 0.4),
        ("sharpness", {"colour_spread": 0.6}, -0.3, 0.3),
        ("size", {"colour_spread": 0.6}, -0.3, 0.3),
    ],
)
def test_spreads_are_used_to_their_ends(field: str, settings: dict[str, Any], low: float, high: float) -> None:
    values = [getattr(event_of(Scattering(**settings), number), field) for number in range(400)]
    assert low <= min(values) < low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) < max(values) <= high


def test_without_spread_only_the_take_and_the_time_differ() -> None:
    still = Scattering(level_spread=0, pan_spread=0, distance_spread=0, colour_spread=0)
    events = [event_of(still, number) for number in range(20)]
    assert {(e.pitch, e.level_db, e.pan, e.distance, e.sharpness, e.size) for e in events} == {(60, 0, 0, 0, 0, 0)}
    assert len({e.seed for e in events}) == 20


def test_an_event_shapes_its_own_note(tiny: TinyModel) -> None:
    rig = ClockRig(tiny.model)
    rig.clock.scatter(["second"], level_spread=12, seed=2)
    rig.read_to(64)
    note, event = next(iter(rig.engine.allocator.notes.values())), event_of(Scattering(level_spread=12, seed=2), 0)
    assert note.seed == event.seed
    assert note.expression["level"] == pytest.approx(event.level_db)
    np.testing.assert_allclose(note.voice.timbre.target, tiny.model.timbre_vector("second"))


def test_each_event_chooses_among_the_timbres(tiny: TinyModel) -> None:
    rig = ClockRig(tiny.model, polyphony=16)
    rig.clock.scatter(["second", "third"], **BUSY)
    rig.read_to(3 * RATE)
    assert {event.program for _, event in rig.events(NoteOn)} == {1, 2}


@pytest.mark.parametrize("voices", [1, 3])
def test_no_more_sound_at_once_than_voices(tiny: TinyModel, voices: int) -> None:
    rig = ClockRig(tiny.model, polyphony=32)
    rig.clock.scatter(density=20, seconds=60, voices=voices)
    most = 0
    while rig.engine.now < 4 * RATE:
        rig.recorder.read(256)
        held = [v for v in rig.engine.allocator.voices if v.params.at <= rig.engine.now and not v.released]
        most = max(most, len(held))
    assert most == voices
    assert rig.engine.sounding <= voices + 3, "what fades is soon gone"


def test_a_change_is_heard_from_the_next_event_on(tiny: TinyModel) -> None:
    rig = ClockRig(tiny.model, polyphony=16)
    scatter = rig.clock.scatter(density=0.05, seconds=0.05)
    rig.read_to(RATE)
    assert len(rig.onsets) == 1
    scatter.change(density=20.0, pitch=72)
    rig.read_to(4 * RATE)
    assert len(rig.onsets) > 20
    assert {pitch for _, pitch in rig.onsets[1:]} == {72}
    scatter.change(grid=1.0, density=50.0)
    rig.read_to(4.5 * RATE)
    before = len(rig.onsets)
    rig.read_to(7 * RATE)
    assert all(at % BEAT == 0 for at, _ in rig.onsets[before:])


def test_it_stops_and_can_be_silent_for_a_while(tiny: TinyModel) -> None:
    rig = ClockRig(tiny.model, polyphony=16)
    scatter = rig.clock.scatter(**BUSY)
    rig.read_to(RATE)
    scatter.change(density=0)
    rig.read_to(1.5 * RATE)
    count = len(rig.onsets)
    rig.read_to(3 * RATE)
    assert len(rig.onsets) == count
    scatter.change(density=12.0)
    rig.read_to(4 * RATE)
    assert len(rig.onsets) > count
    scatter.stop()
    rig.read_to(5 * RATE)
    assert not scatter.playing
    assert rig.no_note_hangs()


@pytest.mark.parametrize("grid", [0.0, 0.25])
def test_the_clock_starts_it_again_from_its_first_event(tiny: TinyModel, grid: float) -> None:
    rig = ClockRig(tiny.model, polyphony=16)
    rig.clock.scatter(grid=grid, **BUSY)
    rig.read_to(2 * RATE)
    first = [at for at, _ in rig.onsets]
    again = rig.engine.now
    rig.clock.start()
    rig.read_to(again + 2 * RATE)
    later = [at - again for at, _ in rig.onsets if at >= again]
    assert later[: len(first) - 2] == [at - first[0] + later[0] for at in first][: len(first) - 2]


def test_it_stands_still_with_the_clock(tiny: TinyModel) -> None:
    rig = ClockRig(tiny.model, polyphony=16)
    rig.clock.scatter(**BUSY)
    rig.read_to(RATE)
    rig.clock.stop()
    count = len(rig.onsets)
    rig.read_to(3 * RATE)
    assert len(rig.onsets) <= count
    rig.clock.resume()
    rig.read_to(4 * RATE)
    assert len(rig.onsets) > count


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"density": -1}, "density must be a number from 0 to 50"),
        ({"grid": 99}, "grid must be a number from 0 to 16"),
        ({"pan_spread": 2}, "pan_spread must be a number from 0 to 1"),
        ({"voices": 0}, "voices must be a whole number from 1 to 64"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"colour": 1}, "no setting 'colour'; available: density, grid"),
        ({"timbres": "nothing"}, "unknown timbre 'nothing'"),
        ({"timbres": ["second", "nothing"]}, "unknown timbre 'nothing'"),
        ({"at": -1}, "at must be a number"),
    ],
)
def test_bad_values_are_named(rig: ClockRig, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(CmaudioError, match=told):
        rig.clock.scatter(**settings)


def test_a_bad_change_changes_nothing(rig: ClockRig) -> None:
    scatter = rig.clock.scatter()
    before = scatter.settings
    with pytest.raises(CmaudioError, match="density"):
        scatter.change(pitch=50, density=1000)
    assert scatter.settings is before


def the_scatter(rig: ClockRig) -> Scatter | None:
    return next((part for part in rig.clock._parts if isinstance(part, Scatter)), None)


def test_the_controls_scatter_their_timbre(rig: ClockRig) -> None:
    controls = rig.clock.controls
    controls.set_seed(7)
    controls.set("scatter_pitch", 5)
    controls.set("scatter", 10)
    rig.read_to(RATE)
    assert len(rig.onsets) > 3
    scatter = the_scatter(rig)
    assert scatter is not None
    assert (scatter.settings.density, scatter.settings.pitch_spread, scatter.settings.seed) == (10, 5, 7)
    controls.set("scatter_level", 0)
    controls.set("scatter_grid", 0.5)
    assert (scatter.settings.level_spread, scatter.settings.grid) == (0, 0.5)
    controls.reset()
    assert the_scatter(rig) is None
    assert not scatter.playing


def test_the_controls_scatter_several_timbres_when_told_to(rig: ClockRig) -> None:
    controls = rig.clock.controls
    controls.set_seed(1)
    controls.set("scatter", 20)
    rig.clock.scatter_among(["first", "second"])
    scatter = the_scatter(rig)
    assert scatter is not None
    assert len(scatter._timbres) == 2
    controls.set("scatter", 0)
    controls.set("scatter", 20)
    again = the_scatter(rig)
    assert again is not None
    assert len(again._timbres) == 2, "it is kept while scattering pauses"
    with pytest.raises(CmaudioError, match="fourth"):
        rig.clock.scatter_among(["first", "fourth"])
    assert len(again._timbres) == 2
    rig.clock.scatter_among(None)
    assert not again._timbres


@pytest.mark.parametrize("seed", [None, 3])
def test_the_controls_seed_brings_events_back(tiny: TinyModel, seed: int | None) -> None:
    found = []
    for _ in range(2):
        rig = ClockRig(tiny.model, polyphony=16)
        rig.clock.controls.set_seed(seed)
        rig.clock.controls.set("scatter", 15)
        rig.read_to(2 * RATE)
        found.append(rig.onsets)
    assert (found[0] == found[1]) == (seed is not None)


def test_events_have_all_of_their_fields_from_one_seed() -> None:
    assert event_of(Scattering(seed=2**63 - 1), 10**6) == event_of(Scattering(seed=2**63 - 1), 10**6)
    assert isinstance(event_of(Scattering(), 0), Event)
