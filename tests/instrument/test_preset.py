"""Presets: what is shipped sounds, what is saved comes back, what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.files import folders
from cmaudio.instrument.preset import Preset
from cmaudio.instrument.preset_files import load_preset, preset_files, save_preset
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import Model, load_model
from cmaudio.offline.render import render
from cmaudio.output.player import Player
from cmaudio.score.events import NoteOff, NoteOn, Score
from cmaudio.score.midi_file import write_midi
from cmaudio.synth import Synth


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folders, "user_folder", lambda: tmp_path / "user")
    return tmp_path / "user" / "presets"


class SilentPlayer:
    def wake(self) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def synth(model: Model) -> Synth:
    recorder = Recorder(Engine(model))
    return Synth(recorder.engine, recorder, cast("Player", SilentPlayer()))


@pytest.mark.parametrize("shipped", ["instrument", "textures"])
def test_twenty_presets_of_a_model_are_shipped_each_a_sound_of_its_own(shipped: str) -> None:
    recorder = Recorder(Engine(load_model(shipped)))
    synth = Synth(recorder.engine, recorder, cast("Player", SilentPlayer()))
    files = {name: path for name, path in preset_files().items() if load_preset(path).model == shipped}
    mixes = []
    for name, path in files.items():
        preset = synth.apply(name)
        assert load_preset(preset.name) == preset == load_preset(path), "its name and its file find it"
        assert 10 < len(preset.description) < 80
        mixes.append(tuple(synth.model.timbre_vector(preset.timbre).tolist()))
        note = synth.note_on(55)
        synth.recorder.read(synth.engine.sample_rate // 2)
        assert synth.engine.state().peak_db > -40, name
        note.off()
        synth.panic()
        synth.recorder.read(synth.engine.sample_rate // 4)
    assert len(set(mixes)) == 20


def test_every_shipped_preset_is_of_an_embedded_model() -> None:
    assert {load_preset(path).model for path in preset_files().values()} == {"instrument", "textures"}


def test_the_list_of_presets_names_their_models() -> None:
    rows = json.loads(CliRunner().invoke(app, ["presets", "--json"]).output)
    assert {row["name"]: row["model"] for row in rows}["Cloudburst"] == "textures"
    shown = CliRunner().invoke(app, ["presets"]).output
    assert "textures" in shown
    assert "instrument" in shown


def test_a_locked_seed_gives_the_same_samples_and_a_free_one_others(synth: Synth) -> None:
    def strike(preset: Preset) -> np.ndarray:
        synth.panic()
        synth.recorder.read(24 * 2048)
        synth.apply(preset, 0)
        synth.note_on(60)
        return synth.recorder.read(12288)

    locked = Preset(name="a", timbre={"flute": 1}, seed=3)
    first, second = strike(locked), strike(locked)
    np.testing.assert_allclose(first, second, atol=1e-4)
    free = Preset(name="b", timbre={"flute": 1})
    assert np.abs(strike(free) - strike(free)).max() > 0.01


def test_applying_morphs_what_sounds(synth: Synth) -> None:
    note = synth.note_on(57, timbre="violin")
    synth.recorder.read(synth.engine.sample_rate)
    synth.apply(Preset(name="to", timbre={"flute": 1}, bend_range=7, gain_db=-6, steps=2), 0.1)
    synth.recorder.read(synth.engine.sample_rate)
    assert note.voice is not None
    now = note.voice.timbre.at(np.array([float(note.voice.planned_end)]))
    np.testing.assert_allclose(np.ravel(now), synth.model.timbre_vector("flute"), atol=1e-6)
    assert (synth.engine.bend_range, synth.engine.allocator.steps) == (7, 2)


def test_invalid_presets_are_refused(synth: Synth, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="unknown preset 'Breathing gras'; the nearest are 'breathing-glass'"):
        load_preset("Breathing gras")
    good = {"version": 1, "name": "a", "timbre": {"flute": 1}}
    for changes, told in [
        ({"version": 2}, "version"),
        ({"steps": 3}, r"steps.*given: '3'"),
        ({"timbre": {}}, "timbre"),
        ({"timbre": {"flute": "loud"}}, r"timbre\.flute"),
        ({"gain_db": 99}, "gain_db.*99"),
        ({"colour": "red"}, "colour.*known are version, name"),
        ({"name": "../../x"}, "name"),
    ]:
        path = tmp_path / "bad.json"
        path.write_text(json.dumps(good | cast("dict[str, Any]", changes)))
        with pytest.raises(CmaudioError, match=told):
            load_preset(path)
    before = synth.apply("Chapel")
    with pytest.raises(CmaudioError, match="unknown timbre 'flu'"):
        synth.apply(Preset(name="a", timbre={"flu": 1}))
    with pytest.raises(CmaudioError, match="is for model 'other'"):
        synth.apply(Preset(name="a", timbre={"flute": 1}, model="other"))
    assert synth.preset is before


@settings(deadline=None, max_examples=100)
@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        lambda x: json.dumps(x).encode()
    )
)
def test_any_other_bytes_are_a_clear_error(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.mktemp("preset") / "a.json"
    path.write_bytes(data)
    with pytest.raises(CmaudioError, match="is not a preset of version 1"):
        load_preset(path)


def test_user_presets_are_found_by_name(own_folder: Path) -> None:
    mine = Preset(name="Mine, all Mine!", description="Mine", timbre={"cello": 0.6, "flute": -0.1}, seed=2**63 - 1)
    path = save_preset(mine)
    assert path == own_folder / "mine-all-mine.json"
    assert load_preset("mine, all mine!") == mine
    assert "mine-all-mine" in preset_files()
    with pytest.raises(CmaudioError, match="there is no folder"):
        save_preset(mine, own_folder / "none" / "a.json")


def test_saved_settings_are_restored(synth: Synth) -> None:
    synth.controls.set_timbre({"cello": 0.6, "flute": 0.4})
    synth.controls.set("brightness", 2.5)
    synth.controls.set("vibrato", 0.3)
    synth.controls.set("gain", -6)
    synth.controls.set_seed(12)
    mine = synth.as_preset("Mine", "as it is now")
    assert mine.controls == {"brightness": 2.5, "vibrato": 0.3}
    save_preset(mine)
    before = synth.controls.values()
    synth.apply("Chapel")
    assert synth.controls["brightness"] == 0, "what a preset does not set goes back to its default"
    synth.apply("mine")
    after = synth.controls.values()
    places = ("timbre_x", "timbre_y")
    assert after == {**before, **{name: pytest.approx(before[name]) for name in places}}
    assert (synth.controls.timbre, synth.controls.seed) == ({"cello": 0.6, "flute": 0.4}, 12)


def test_timbre_vector_is_saved_as_numbers(synth: Synth) -> None:
    synth.controls.set_timbre(synth.model.timbre_vector("cello") * 0.9)
    preset = synth.as_preset("Point")
    synth.apply("Chapel")
    synth.apply(load_preset(save_preset(preset)))
    np.testing.assert_allclose(synth.controls.vector, synth.model.timbre_vector("cello") * 0.9)


@pytest.mark.parametrize(
    ("controls", "told"),
    [({"cutoff": 1.0}, "no control 'cutoff'"), ({"brightness": 40.0}, "brightness must be a number from -6 to 6")],
)
def test_preset_with_an_invalid_control_changes_nothing(synth: Synth, controls: dict[str, float], told: str) -> None:
    synth.apply("Chapel")
    before = synth.controls.values()
    with pytest.raises(CmaudioError, match=told):
        synth.apply(Preset(name="a", timbre={"flute": 1}, steps=2, controls=controls))
    assert synth.controls.values() == before


def test_controls_with_their_own_field_are_refused_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"version": 1, "name": "a", "timbre": {"flute": 1}, "controls": {"gain": -3}}))
    with pytest.raises(CmaudioError, match="gain belongs outside `controls`, as gain_db"):
        load_preset(path)


def test_command_line_overrides_the_preset(tmp_path: Path) -> None:
    write_midi(tmp_path / "one.mid", Score("one", [(0.0, NoteOn(0, 57, 90, 73)), (0.2, NoteOff(0, 57))], 0.3, [73]))
    save_preset(Preset(name="mine", timbre={"flute": 1}, seed=5, gain_db=-12, controls={"vibrato": 0.2}))

    def rendered(*arguments: str) -> np.ndarray:
        out = tmp_path / "out.wav"
        result = CliRunner().invoke(app, ["render", str(tmp_path / "one.mid"), "-o", str(out), "--tail=0", *arguments])
        assert result.exit_code == 0, result.output
        return np.asarray(soundfile.read(out, dtype="float32")[0])

    given = rendered("--preset", "mine", "--seed", "0", "--gain", "0")
    plain = render(tmp_path / "one.mid", timbre="flute", seed=0, tail=0, controls={"vibrato": 0.2})
    np.testing.assert_allclose(given, plain, atol=1e-4)
    preset = render(tmp_path / "one.mid", timbre="flute", seed=5, gain_db=-12, tail=0, controls={"vibrato": 0.2})
    np.testing.assert_allclose(rendered("--preset", "mine"), preset, atol=1e-4)


def test_render_applies_controls() -> None:
    score = Score("one", [(0.0, NoteOn(0, 57, 90, 73)), (0.4, NoteOff(0, 57))], 0.5, [73])
    plain, bright = (render(score, tail=0.2, channels=1, controls={"brightness": b}) for b in (0.0, 6.0))
    np.testing.assert_array_equal(plain, render(score, tail=0.2, channels=1))
    high = [np.abs(np.fft.rfft(sound))[len(sound) // 12 :].sum() for sound in (plain, bright)]
    assert high[1] > 2 * high[0]


@pytest.mark.parametrize("name", ["!!!", "???", "\N{GRINNING FACE}", "...", "con"])
def test_a_preset_is_found_by_any_name(own_folder: Path, name: str) -> None:
    for each in (name, f"{name}{name}"):
        save_preset(Preset(name=each, timbre={"flute": 1}))
    assert load_preset(name).name == name
    assert load_preset(f"{name}{name}").name == f"{name}{name}"


@pytest.mark.parametrize(("first", "second"), [("a b", "a-b"), ("Pad", "pad"), ("x!", "x?")])
def test_presets_whose_files_have_one_name_do_not_overwrite_each_other(
    own_folder: Path, first: str, second: str
) -> None:
    save_preset(Preset(name=first, timbre={"flute": 1}))
    with pytest.raises(CmaudioError, match=f"holds the preset '{first}'"):
        save_preset(Preset(name=second, timbre={"flute": 1}))
    assert load_preset(second).name == first


def test_a_preset_is_replaced_by_its_own_name_and_nothing_else(own_folder: Path) -> None:
    path = save_preset(Preset(name="mine", timbre={"flute": 1}))
    save_preset(Preset(name="mine", timbre={"violin": 1}))
    assert load_preset("mine").timbre == {"violin": 1}
    path.write_text("something else")
    with pytest.raises(CmaudioError, match="is not a preset"):
        save_preset(Preset(name="mine", timbre={"flute": 1}))
    assert path.read_text() == "something else"


def test_a_preset_of_two_channels_plays_on_one(model: Model) -> None:
    recorder = Recorder(Engine(model, channels=1))
    mono = Synth(recorder.engine, recorder, cast("Player", SilentPlayer()))
    mono.apply(Preset(name="a", timbre={"flute": 1}, controls={"pan": -1, "width": 1, "reverb": 0.5}))
    assert "pan" not in mono.controls.definitions
