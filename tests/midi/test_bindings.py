"""MIDI learn: what binds and what does not, which binding goes first, and the file."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.midi import KEYS, FakeSystem, control, on, rig, still_synth, wheel
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cmaudio.controls.binding import Binding
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.files import folders
from cmaudio.instrument.preset_files import load_preset, save_preset
from cmaudio.midi.bindings import Bindings
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


def bound(controller: Any = 20, name: str = "gain", channel: int | None = None, **ends: float) -> Binding:
    return Binding(channel=channel, controller=controller, control=name, **({"min": 0.0, "max": 1.0} | ends))


@pytest.fixture(scope="module")
def synth(tiny: TinyModel) -> Synth:
    return still_synth(Engine(tiny.model, polyphony=2))


def test_a_channels_binding_goes_before_any_channels() -> None:
    bindings = Bindings([bound(name="gain"), bound(name="vibrato", channel=3)])
    assert [bindings.find(channel, 20).control for channel in (0, 3)] == ["gain", "vibrato"]  # type: ignore[union-attr]
    assert bindings.find(3, 21) is None


def test_binding_again_replaces_by_control_and_by_controller() -> None:
    bindings = Bindings([bound(20, "gain"), bound(21, "vibrato")])
    bindings.add(bound(22, "gain"))
    assert [(b.controller, b.control) for b in bindings] == [(21, "vibrato"), (22, "gain")]
    bindings.add(bound(21, "pressure"))
    assert [(b.controller, b.control) for b in bindings] == [(22, "gain"), (21, "pressure")]
    bindings.remove("gain")
    assert len(bindings) == 1
    with pytest.raises(CmaudioError, match="bound controls: pressure"):
        bindings.remove("gain")


def test_learning_waits_for_what_really_moves() -> None:
    bindings = Bindings()
    assert bindings.moved(0, 7, 0.5) is None
    bindings.learn("vibrato", 0.0, 0.5)
    assert bindings.learning == "vibrato"
    for source, position in ((7, 0.52), (7, 0.49), (40, 0.3), (40, 0.3), ("bend", 0.51), (100, 0.0), (100, 1.0)):
        assert bindings.moved(0, source, position) is None  # type: ignore[arg-type]
    assert bindings.moved(2, 40, 0.9) is None  # the first that is heard of another channel's
    learnt = bindings.moved(0, 40, 0.4)
    assert learnt == Binding(channel=0, controller=40, control="vibrato", min=0.0, max=0.5)
    assert list(bindings) == [learnt]
    assert not bindings.learning
    assert bindings.moved(0, 7, 1.0) is None


def test_learning_any_channel_and_the_wheel_and_giving_up() -> None:
    bindings = Bindings()
    bindings.learn("bend", -1, 1, any_channel=True)
    assert bindings.moved(5, "bend", 0.8) == bound("bend", "bend", min=-1, max=1)
    bindings.learn("gain", 0, 1)
    bindings.forget_learning()
    assert bindings.moved(5, "pressure", 1.0) is None


def test_a_bound_controller_moves_its_control_instead_of_what_it_means(synth: Synth) -> None:
    ranges = [bound(1, "gain", min=0, max=-60), bound("bend", "vibrato"), bound(30, "brightness", min=-99, max=99)]
    with rig(synth, bindings=Bindings(ranges)) as keys:
        keys.send(control(1, 127, 4), wheel(0.0), control(30, 127))
        controls = synth.controls
        assert controls["gain"] == -60
        assert controls["vibrato"] == pytest.approx(0.5)
        assert controls["brightness"] == 6.0
        assert keys.channels[4].expression == {}
        assert keys.channels[0].bend == 0
        controls.reset()


def test_learning_by_playing(synth: Synth, tmp_path: Path) -> None:
    told: list[str] = []
    heard: list[tuple[str, object, str]] = []
    with rig(synth, told=told) as keys:
        end = synth.controls.subscribe(lambda *change: heard.append(change))
        learnt: list[Binding] = []
        keys.midi.on_learned = learnt.append
        keys.midi.learn("resonance", low=0.0)
        keys.send(on(60), control(21, 3, 2), control(21, 5, 2), control(21, 127, 2))
        assert learnt == [Binding(channel=2, controller=21, control="resonance", min=0.0, max=1.0)]
        assert heard == [("resonance", 1.0, "midi")]
        assert "learnt: controller 21 on channel 3 -> resonance 0..1" in told
        with pytest.raises(CmaudioError, match="no control 'volume'; this model has"):
            keys.midi.learn("volume")
        end()
        synth.controls.reset()


def test_a_binding_to_a_control_that_the_model_lacks_is_reported_and_kept(synth: Synth) -> None:
    told: list[str] = []
    with rig(synth, told=told, bindings=Bindings([bound(1, "shimmer")])) as keys:
        assert ["shimmer" in text for text in told] == [True]
        keys.send(control(1, 127), control(1, 0))
        assert len(told) == 1
        assert len(keys.midi.bindings) == 1
        assert keys.channels[0].expression == {"vibrato": 0.0}  # it means what it means to all


_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_BINDINGS = st.builds(
    Binding,
    channel=st.none() | st.integers(0, 15),
    controller=st.integers(0, 119) | st.sampled_from(["bend", "pressure"]),
    control=st.text(min_size=1, max_size=60, alphabet=st.characters(exclude_categories=["Cs"])),
    min=_FINITE,
    max=_FINITE,
)


@given(st.lists(_BINDINGS, max_size=6))
def test_the_file_gives_back_what_was_saved(tmp_path_factory: pytest.TempPathFactory, made: list[Binding]) -> None:
    file = tmp_path_factory.getbasetemp() / "bindings.json"
    bindings = Bindings(made)
    assert bindings.save(file) == file
    assert list(Bindings.load(file)) == list(bindings)


def test_the_users_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "user_folder", lambda: tmp_path / "cmaudio")
    assert list(Bindings.load()) == []
    Bindings([bound()]).save()
    assert (tmp_path / "cmaudio" / "midi.json").exists()
    assert list(Bindings.load()) == [bound()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Invalid JSON"),
        ("[]", "the whole"),
        ('{"version": 2, "bindings": []}', "version: "),
        ('{"version": 1}', "bindings: Field required"),
        ('{"version": 1, "bindings": [], "more": 1}', "more: Extra"),
        ('{"version": 1, "bindings": [{"controller": 120, "control": "gain", "min": 0, "max": 1}]}', "controller"),
        ('{"version": 1, "bindings": [{"controller": 1.5, "control": "gain", "min": 0, "max": 1}]}', "controller"),
        ('{"version": 1, "bindings": [{"controller": "1", "control": "gain", "min": 0, "max": 1}]}', "controller"),
        ('{"version": 1, "bindings": [{"channel": 16, "controller": 1, "control": "x", "min": 0, "max": 1}]}', "16"),
        ('{"version": 1, "bindings": [{"controller": 1, "control": "gain", "min": NaN, "max": 1}]}', "min"),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "midi.json"
    file.write_text(text)
    with pytest.raises(CmaudioError, match=said) as raised:
        Bindings.load(file)
    assert str(file) in str(raised.value)
    assert "version 1" in str(raised.value)


def test_a_file_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="cannot be read"):
        Bindings.load(tmp_path / "none.json")
    with pytest.raises(CmaudioError, match="no folder"):
        Bindings().save(tmp_path / "none" / "midi.json")


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda kids: st.lists(kids) | st.dictionaries(st.text(), kids)
).map(lambda value: json.dumps({"version": 1, "bindings": value}).encode()))  # fmt: skip
def test_no_file_does_worse_than_a_cmaudio_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "damaged.json"
    file.write_bytes(data)
    with suppress(CmaudioError):
        Bindings.load(file)


def test_a_binding_is_strict() -> None:
    for changed in ({"controller": True}, {"channel": -1}, {"control": ""}, {"min": "0"}, {"max": float("inf")}):
        with pytest.raises(ValidationError):
            Binding.model_validate({"controller": 1, "control": "gain", "min": 0.0, "max": 1.0} | changed)


def test_a_preset_holds_the_bindings_and_brings_them_back(synth: Synth, tmp_path: Path) -> None:
    system = FakeSystem(KEYS)
    with synth.connect_midi(system=system, bindings=Bindings([bound(20, "vibrato", max=0.5)])) as midi:
        saved = save_preset(synth.as_preset("Bound"), tmp_path / "bound.json")
        midi.bindings.remove("vibrato")
        midi.bindings.add(bound(21, "gain"))
        synth.apply(saved)
        assert {(b.controller, b.control, b.max) for b in midi.bindings} == {(20, "vibrato", 0.5), (21, "gain", 1.0)}


def test_an_invalid_binding_is_named_with_its_preset(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    wrong = {"controller": 300, "control": "gain", "min": 0.0, "max": 1.0}
    path.write_text(json.dumps({"version": 1, "name": "a", "timbre": {"flute": 1}, "bindings": [wrong]}))
    with pytest.raises(CmaudioError, match=r"bindings\.0\.controller.*300"):
        load_preset(path)
