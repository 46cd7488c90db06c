"""The deviation of notes as they sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmaudio.engine.engine import Engine
from cmaudio.model.deviation import PitchDeviation
from cmaudio.model.file import Model, load_model
from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.saving import save_changed
from cmaudio.signal.dsp import Float
from cmaudio.signal.modulation import amplitude_modulation, frequency_modulation, partial_tracks
from cmaudio.soundfont.deviation import common_swing
from cmaudio.synthesis.deviation import NoteDeviation, partials_per_gain
from cmaudio.synthesis.timbre_deviations import TimbreDeviations, deviations_of
from cmaudio.synthesis.trajectory import Trajectory

HOP, RATE = 512, 48_000
VIBRATO = {"vibrato_cents": 20.0, "vibrato_hz": 5.0}
SPREAD = {"spread_cents": 12.0, "moving": 0.8}
BEATING = {"spread_cents": 12.0, "moving": 0.6, "turning": 0.0}
WANDER = {"wander_cents": 6.0, "wander_hz": 1.5}
SCOOP = {"scoop_cents": -30.0, "scoop_s": 0.1}


def named(name: str, vector: list[float], **values: Any) -> TimbreDefinition:
    deviation = PitchDeviation.model_validate({"keys": [{"key": 60, **values}]}) if values else None
    return TimbreDefinition(name=name, vector=vector, deviation=deviation)


TIMBRES = [
    named("flute", [0.0, 0.0], **VIBRATO),
    named("choir", [1.0, 0.0], **SPREAD),
    named("horn", [0.0, 1.0], **SCOOP),
    named("organ", [1.0, 1.0]),
    named("reeds", [2.0, 0.0], **BEATING),
    named("voice", [0.0, 2.0], **WANDER),
    named("oohs", [2.0, 2.0], **SPREAD, first_moves=0.0),
]


def note(timbre: int = 0, humanity: float = 1.0, seed: int = 1, kept: int = 4000) -> NoteDeviation:
    point, how = Trajectory(TIMBRES[timbre].vector), Trajectory(humanity)
    return NoteDeviation(
        TimbreDeviations(TIMBRES), point, how, 60.0, seed, first_hop=0, kept_hops=kept, hop_length=HOP, sample_rate=RATE
    )


def cents(deviation: NoteDeviation, first: int, count: int) -> np.ndarray:
    ratio = deviation.ratio(first, first + count)
    return np.zeros(count) if ratio is None else 1200 * np.log2(ratio)


def test_models_without_deviation_have_none() -> None:
    assert deviations_of([TIMBRES[3]]) is None


def test_a_timbre_has_its_own_deviation_and_the_way_between_two_is_smooth() -> None:
    deviations = TimbreDeviations(TIMBRES)
    way = np.stack([np.linspace(0, 1, 101), np.zeros(101)], -1)
    of = deviations.at(way, 60)
    assert of.vibrato_cents[[0, -1]] == pytest.approx([20, 0], abs=1e-6)
    assert of.spread_cents[[0, -1]] == pytest.approx([0, 12], abs=1e-6)
    assert np.abs(np.diff(of.vibrato_cents)).max() < 1.0
    assert of.vibrato_hz[:60] == pytest.approx(5.0)


def test_a_learned_timbre_is_exact_and_known_from_when_it_was_learned() -> None:
    spectrum = LearnedSpectrum(ages_s=[1.0], offsets_db=[[0.0]], spread_db=[0.0])
    knock = TimbreDefinition(name="knock", vector=[0.0, 0.0], learned=Learned(spectra=[spectrum]))
    before, after = TimbreDeviations(TIMBRES), TimbreDeviations([*TIMBRES, knock])
    flute, learned = np.array([[0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    for deviations, point, cents_deep in ((before, learned, 20), (after, flute, 20), (after, learned, 0)):
        assert deviations.at(point, 60).vibrato_cents == pytest.approx([cents_deep], abs=1e-6)


@pytest.mark.parametrize(("humanity", "scale"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (2.0, 2.0)])
def test_humanity_scales_the_vibrato(humanity: float, scale: float) -> None:
    whole, some = (cents(note(humanity=h), 0, RATE).std() for h in (1.0, humanity))
    assert some == pytest.approx(scale * whole, rel=1e-4)


def test_the_scoop_settles() -> None:
    course = cents(note(2), 0, RATE)
    assert course[0] == pytest.approx(-30, abs=0.1)
    assert course[RATE // 10] == pytest.approx(-30 / np.e, rel=0.05)
    assert abs(course[-1]) < 0.01


@pytest.mark.parametrize("block", [1, 100, 2048, 20_000])
def test_the_size_of_the_steps_does_not_matter(block: int) -> None:
    deviation, whole = note(), cents(note(), 0, 20_000)
    parts = [cents(deviation, start, min(block, 20_000 - start)) for start in range(0, 20_000, max(block, 50))]
    if block >= 50:
        assert np.concatenate(parts) == pytest.approx(whole)
    else:
        assert [part[0] for part in parts] == pytest.approx(whole[::50])


@pytest.mark.parametrize("timbre", [0, 1])
def test_seeds_differ_and_the_same_seed_does_not(timbre: int) -> None:
    def course(seed: int) -> np.ndarray:
        deviation = note(timbre, seed=seed)
        deviation.compute_to(30)
        gains = deviation.gains(np.arange(20, 24), np.full(4, 262, np.float32))
        return cents(deviation, 10_000, 4) if gains is None else np.abs(gains[0][:, 1])

    assert course(1) == pytest.approx(course(1))
    assert course(1) != pytest.approx(course(2))


def test_long_notes_keep_little() -> None:
    deviation = note(1, kept=40)
    for hop in range(0, 4000, 4):
        deviation.compute_to(hop)
    assert len(deviation._known) <= 40 + 4


@pytest.mark.parametrize(("timbre", "humanity", "changes"), [(0, 1.0, False), (1, 0.0, False), (1, 1.0, True)])
def test_only_layers_turn_partials(timbre: int, humanity: float, changes: bool) -> None:
    deviation = note(timbre, humanity)
    deviation.compute_to(20)
    gains = deviation.gains(np.arange(10, 14), np.full(4, 262, np.float32))
    assert (gains is not None) == changes


def turned(timbre: int, base_hz: float) -> np.ndarray:
    """(T, P) gains over half a minute."""
    deviation = note(timbre)
    deviation.compute_to(3000)
    gains = deviation.gains(np.arange(3000), np.full(3000, base_hz, np.float32))
    assert gains is not None
    return gains[0]


@pytest.mark.parametrize(
    ("base_hz", "expected"), [(262.0, 1), (94.0, 1), (93.0, 2), (47.0, 2), (46.0, 4), (32.7, 4), (16.4, 8)]
)
def test_partials_that_a_window_cannot_tell_apart_waver_together(base_hz: float, expected: int) -> None:
    assert partials_per_gain(base_hz, 48_000 / 2048) == expected
    deviation = note(1)
    deviation.compute_to(20)
    gains = deviation.gains(np.arange(10, 14), np.full(4, base_hz, np.float32))
    assert gains is not None
    assert gains[1] == pytest.approx(expected * base_hz)
    bent = deviation.gains(np.arange(14, 18), np.full(4, 4 * base_hz, np.float32))
    assert bent is not None
    assert bent[1] == pytest.approx(4 * expected * base_hz)


def test_reeds_beat_in_strength_alone_and_as_much_as_players() -> None:
    reeds, players = (turned(timbre, 262)[:, 3] for timbre in (4, 1))
    assert np.abs(reeds.imag).max() < 1e-6
    for gains in (reeds, players):
        assert np.square(np.abs(gains)).mean() == pytest.approx(1, abs=0.2)
        assert np.abs(gains).std() > 0.3


def test_the_lowest_partial_may_be_steady() -> None:
    gains = np.abs(turned(6, 262))
    assert gains[:, 1] == pytest.approx(1)
    assert gains[:, 2].std() > 0.3


def test_wandering_is_of_its_size_and_has_no_rate() -> None:
    course = np.concatenate([cents(note(5, seed=seed), 0, 4 * RATE) for seed in range(8)])
    assert course.std() == pytest.approx(6, rel=0.25)
    power = np.square(np.abs(np.fft.rfft(course[::512])))[1:]
    assert power.max() < 0.3 * power.sum()
    assert cents(note(5, humanity=0.0), 0, RATE).std() == 0


def test_noise_is_left_alone() -> None:
    deviation = note(1)
    deviation.compute_to(20)
    assert deviation.gains(np.arange(10, 14), np.zeros(4, np.float32)) is None


@pytest.fixture(scope="module")
def deviating(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The embedded instrument, its flute with a vibrato, its strings of layers, all else exact."""
    model = load_model()
    given = {"flute": VIBRATO, "string ensemble 1": SPREAD}
    timbres = [
        t.model_copy(update={"deviation": named(t.name, t.vector, **given[t.name]).deviation, "partials": None})
        if t.name in given
        else t.model_copy(update={"deviation": None})
        for t in model.manifest.timbres
    ]
    path = tmp_path_factory.mktemp("deviating") / "deviating.cmaudio"
    manifest = model.manifest.model_copy(update={"timbres": timbres})
    return save_changed(model, path, manifest=manifest)


def played(model: Model, timbre: str, humanity: float, reads: int = 48_000, bend: float = 0.0) -> Float:
    engine = Engine(model, seed=3, channels=1)
    engine.express("humanity", humanity, channel=None)
    held = engine.note_on(60, 90, timbre=timbre, at=0)
    if bend:
        held.bend(bend, at=30_000)
    return np.concatenate([engine.read(min(reads, 144_000 - i)) for i in range(0, 144_000, reads)])


@pytest.mark.parametrize(
    ("timbre", "fm_cents", "am_db"),
    [("flute", (8, 20), (0, 1.5)), ("string ensemble 1", (3, 9), (2.5, 6))],
)
def test_notes_deviate_and_are_exact_without_humanity(
    deviating: Model, timbre: str, fm_cents: tuple[float, float], am_db: tuple[float, float]
) -> None:
    tracks = partial_tracks(played(deviating, timbre, 1), RATE, 261.626).between(0.6, 2.8)
    exact = partial_tracks(played(deviating, timbre, 0), RATE, 261.626).between(0.6, 2.8)
    assert fm_cents[0] < frequency_modulation(tracks) < fm_cents[1]
    assert am_db[0] < amplitude_modulation(tracks) < am_db[1]
    assert frequency_modulation(exact) < 0.5
    if timbre == "flute":
        assert common_swing(tracks)[0] == pytest.approx(5.0, rel=0.15)


def test_reads_of_any_size_and_bends_give_the_same_samples(deviating: Model) -> None:
    for timbre in ("flute", "string ensemble 1"):
        whole = played(deviating, timbre, 1, bend=0.5)
        assert np.array_equal(whole, played(deviating, timbre, 1, 10_007, bend=0.5))


def test_humanity_0_is_the_model_without_deviation_sample_by_sample(deviating: Model, tmp_path: Path) -> None:
    manifest = deviating.manifest
    timbres = [timbre.model_copy(update={"deviation": None}) for timbre in manifest.timbres]
    exact = tmp_path / "exact.cmaudio"
    save_changed(deviating, exact, manifest=manifest.model_copy(update={"timbres": timbres}))
    for timbre in ("flute", "string ensemble 1"):
        assert np.array_equal(played(deviating, timbre, 0, bend=0.5), played(load_model(exact), timbre, 0, bend=0.5))


def test_an_exact_timbre_costs_no_memory_and_may_morph_to_another() -> None:
    deviations = TimbreDeviations(TIMBRES)
    point = Trajectory(TIMBRES[3].vector)
    deviation = NoteDeviation(
        deviations, point, Trajectory(1.0), 60.0, 1, first_hop=0, kept_hops=40, hop_length=HOP, sample_rate=RATE
    )
    assert cents(deviation, 0, RATE).std() == 0
    assert not len(deviation._known)
    point.move(RATE, TIMBRES[0].vector, 100)
    assert cents(deviation, RATE, 10 * HOP).std() > 1
