"""A timbre from an example sounds as the example, and leaves the others as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.examples import hiss, note, thud, written

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.learning import add_timbre
from cmaudio.learning.example import measure
from cmaudio.learning.file import save_learned
from cmaudio.learning.hearing import heard
from cmaudio.learning.learn import LearnedTimbre, learn_timbre
from cmaudio.learning.reading import read_examples
from cmaudio.model.file import Model, load_model
from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition, with_timbre
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer

RATE = 48_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    written(folder / "my_thud.wav", thud())
    written(folder / "air.wav", hiss())
    for seed in range(3):
        written(folder / "thuds" / f"{seed}.wav", thud(seed))
    return folder


def distance_db(model: Model, networks: Synthesizer, timbre: str, path: Path, bed: bool) -> float:
    recorded = measure(read_examples([path], RATE, lambda text: None), model)[0].mel
    made = heard(model, networks.with_model(model), timbre, 1.0, (0, 1))
    if bed:
        apart = np.median(recorded, 0) - np.median(np.concatenate([mel[30:] for mel in made]), 0)
    else:
        frames = min(len(recorded), len(made[0]))
        apart = recorded[:frames] - np.mean([mel[:frames] for mel in made], 0)
    return float(np.abs(apart).mean() * 20 / np.log(10))


@pytest.mark.parametrize(("file", "bed", "most_db"), [("my_thud.wav", False, 4.0), ("air.wav", True, 1.0)])
def test_a_learned_timbre_is_nearer_to_its_example_than_any_named_one(
    textures: Model, networks: Synthesizer, folder: Path, file: str, bed: bool, most_db: float
) -> None:
    learned = learn_timbre(textures, folder / file, synthesizer=networks)
    assert learned.timbre.sustained == bed
    grown = replace(textures, manifest=with_timbre(textures.manifest, learned.timbre))
    ours = distance_db(grown, networks, learned.timbre.name, folder / file, bed)
    assert ours < most_db
    assert ours < 0.5 * distance_db(textures, networks, learned.nearest, folder / file, bed)


def test_the_name_follows_the_file_and_stays_free(textures: Model, networks: Synthesizer, folder: Path) -> None:
    assert learn_timbre(textures, folder / "my_thud.wav", synthesizer=networks).timbre.name == "my thud"
    rain = written(folder / "Rain.wav", thud())
    assert learn_timbre(textures, rain, synthesizer=networks).timbre.name == "Rain 2"
    for name in ("rain", "", "two\nlines", "x" * 100):
        with pytest.raises(CmaudioError, match=r"name|already"):
            learn_timbre(textures, rain, name=name, synthesizer=networks)


def test_takes_of_a_folder_are_one_timbre(textures: Model, networks: Synthesizer, folder: Path) -> None:
    learned = learn_timbre(textures, folder / "thuds", synthesizer=networks)
    assert learned.timbre.name == "thuds"
    assert learned.timbre.learned is not None
    assert len(learned.timbre.learned.spectra) == 1


def spread_db(model: Model, networks: Synthesizer, timbre: TimbreDefinition) -> float:
    """Standard deviation between strikes of the levels of eight parts of the spectrum."""
    grown = replace(model, manifest=with_timbre(model.manifest, timbre))
    strikes = heard(grown, networks.with_model(grown), timbre.name, 0.2, range(12))
    levels = np.stack([[part.mean() for part in np.array_split(mel, 8, axis=1)] for mel in strikes])
    return float(levels.std(0).mean() * 20 / np.log(10))


def test_strikes_learned_from_one_take_differ(textures: Model, networks: Synthesizer, folder: Path) -> None:
    timbre = learn_timbre(textures, folder / "my_thud.wav", synthesizer=networks).timbre
    found = spread_db(textures, networks, timbre)
    assert found > 1.5 * spread_db(textures, networks, timbre.model_copy(update={"motion": None}))
    assert 1.5 < found < 6


def test_strikes_learned_from_takes_differ_as_they_do(textures: Model, networks: Synthesizer, tmp_path: Path) -> None:
    for number, gain in enumerate((1.0, 0.5, 0.25)):
        written(tmp_path / "thuds" / f"{number}.wav", gain * thud(number))
    timbre = learn_timbre(textures, tmp_path / "thuds", synthesizer=networks).timbre
    assert spread_db(textures, networks, timbre) == pytest.approx(4.9, abs=1.5)


def test_the_kind_can_be_given(textures: Model, networks: Synthesizer, folder: Path) -> None:
    learned = learn_timbre(textures, folder / "my_thud.wav", kind="bed", synthesizer=networks)
    assert learned.timbre.sustained
    assert any("shorter than 3 s" in text for text in learned.notices)


@pytest.mark.parametrize("keys", [(57.0,), (57.0, 69.0)])
def test_notes_are_learned_at_their_pitches(model: Model, tmp_path: Path, keys: tuple[float, ...]) -> None:
    for key in keys:
        written(tmp_path / "tones" / f"{key:g}.wav", note(key))
    learned = learn_timbre(model, tmp_path / "tones")
    assert learned.timbre.learned is not None
    found = [spectrum.key for spectrum in learned.timbre.learned.spectra]
    np.testing.assert_allclose(np.array(found, float), keys, atol=0.1)


@pytest.mark.parametrize(
    ("samples", "kind", "told"),
    [
        (np.concatenate([note(key, 0.6) for key in (57, 64, 60, 69)]), "one-shot", "speech or music"),
        (note(), "one-shot", "--model instrument"),
    ],
)
def test_what_to_expect_is_told(
    textures: Model, networks: Synthesizer, tmp_path: Path, samples: Float, kind: str, told: str
) -> None:
    learned = learn_timbre(textures, written(tmp_path / "a.wav", samples), kind=kind, synthesizer=networks)  # type: ignore[arg-type]
    assert any(told in text for text in learned.notices)


def test_models_without_a_prior_learn_nothing(folder: Path) -> None:
    with pytest.raises(CmaudioError, match="use instrument or textures"):
        learn_timbre(load_model("english"), folder / "air.wav")


@pytest.fixture(scope="module")
def learned(textures: Model, networks: Synthesizer, folder: Path) -> LearnedTimbre:
    return learn_timbre(textures, folder / "air.wav", synthesizer=networks)


def sound(engine: Engine, timbre: str | dict[str, float]) -> Float:
    engine.note_on(60, timbre=timbre, seed=3, at=engine.now)
    return engine.read(RATE // 4)


def test_a_written_file_has_it_and_all_others_sound_as_they_did(
    textures: Model, learned: LearnedTimbre, tmp_path: Path
) -> None:
    written_model = save_learned(textures, [learned.timbre], tmp_path / "mine.cmaudio", "CC0-1.0")
    assert "air: CC0-1.0" in written_model.manifest.licence
    assert "* air: CC0-1.0" in written_model.card
    for timbre in ("rain", {"rain": 0.5, "wind": 0.5}):
        np.testing.assert_array_equal(
            sound(Engine(textures), timbre),
            sound(Engine(written_model), timbre),
        )
    again = save_learned(written_model, [learned.timbre.model_copy(update={"name": "other"})], tmp_path / "two.cmaudio")
    assert [timbre.name for timbre in again.manifest.timbres[-2:]] == ["air", "other"]
    np.testing.assert_array_equal(sound(Engine(written_model), "air"), sound(Engine(again), "air"))


@pytest.mark.parametrize(("name", "licence"), [("mine.zip", "CC0"), ("no/mine.cmaudio", "CC0"), ("a.cmaudio", " ")])
def test_a_file_that_cannot_be_written_is_refused(
    textures: Model, learned: LearnedTimbre, tmp_path: Path, name: str, licence: str
) -> None:
    with pytest.raises(CmaudioError):
        save_learned(textures, [learned.timbre], tmp_path / name, licence)
    assert not list(tmp_path.iterdir())


def test_it_is_added_while_notes_sound_and_they_morph_to_it(learned: LearnedTimbre) -> None:
    engine = Engine(load_model("textures"))
    rain = engine.note_on(60, timbre="rain", seed=1)
    engine.read(4800)
    add_timbre(engine, learned.timbre)
    rain.morph({"air": 0.5, "rain": 0.5}, 0.1)
    engine.note_on(60, timbre="air", seed=2)
    rain.morph("air", 0.05)
    assert np.abs(engine.read(RATE // 2)).max() > 0.01
    with pytest.raises(CmaudioError, match="already"):
        add_timbre(engine, learned.timbre)


def test_what_an_instrument_with_corrections_learned_is_in_its_file_and_plays_there(tmp_path: Path) -> None:
    instrument = load_model("instrument")
    nearest = instrument.manifest.timbres[0]
    assert nearest.correction
    with pytest.raises(CmaudioError, match="correction"):
        with_timbre(instrument.manifest, nearest.model_copy(update={"name": "mine"}))
    learned = learn_timbre(instrument, written(tmp_path / "mine.wav", note(60.0)))
    mine = save_learned(instrument, [learned.timbre], tmp_path / "mine.cmaudio")
    assert np.abs(sound(Engine(mine), "mine")).max() > 0.01
    np.testing.assert_array_equal(sound(Engine(mine), "violin"), sound(Engine(instrument), "violin"))


def test_an_instrument_with_deviating_pitch_plays_what_it_learned() -> None:
    engine = Engine(load_model("instrument"))
    violin = engine.note_on(60, timbre="violin", seed=1)
    engine.read(4800)
    manifest = engine.model.manifest
    bands = [0.0] * manifest.mel.bands
    spectrum = LearnedSpectrum(ages_s=[1.0], offsets_db=[bands], spread_db=bands)
    vector = manifest.timbres[0].vector
    add_timbre(engine, TimbreDefinition(name="mine", vector=vector, learned=Learned(spectra=[spectrum])))
    violin.morph("mine", 0.05)
    engine.note_on(72, timbre="mine", seed=2)
    assert np.abs(engine.read(RATE // 4)).max() > 0.01
