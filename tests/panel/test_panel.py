"""The panel: commands at the handler, the server's door, and the page in a real browser; no sound card is needed."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conftest import TinyModel
from fixtures.browser import running_browser, wait_for
from fixtures.midi import KEYS, FakeSystem
from hypothesis import given
from hypothesis import strategies as st

import cmaudio.midi.bindings
from cmaudio.cli.panel import demand_nicegui
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.midi.bindings import Bindings
from cmaudio.model.file import Model
from cmaudio.output.ring import Ring
from cmaudio.panel.clock_output import PACKET_SECONDS, ClockOutput
from cmaudio.panel.commands import Command, parse_command
from cmaudio.panel.handler import CommandHandler
from cmaudio.panel.spectrum import Spectrum
from cmaudio.panel.variations.job import PhraseNote, around, notes_of
from cmaudio.score.events import Event, NoteOff, NoteOn
from cmaudio.synth import Synth, open

AUDIBLE = 1e-3


@pytest.fixture(scope="module")
def clock() -> ClockOutput:
    """An output without a sound card."""
    return ClockOutput()


@pytest.fixture(scope="module")
def synth(tiny: TinyModel, clock: ClockOutput) -> Iterator[Synth]:
    """A playing instrument."""
    with open(tiny.model, open_stream=clock, lead_ms=60, polyphony=8) as playing:
        yield playing


def peak(synth: Synth, seconds: float = 0.2) -> float:
    """The loudest of the last samples that were made."""
    end = synth.recorder.made_samples
    last = np.concatenate([*synth.recorder.samples(max(0, end - round(seconds * synth.recorder.sample_rate)), end)])
    return float(np.abs(last).max())


def hear_and_hush(synth: Synth) -> None:
    """Nothing must be left of what a test played."""
    synth.panic()
    synth.controls.reset()
    wait_for(lambda: synth.engine.idle and peak(synth) < AUDIBLE)


# -- commands ----------------------------------------------------------------------------------------------------------


class Talk:
    """A command handler, and what it answers."""

    def __init__(self, synth: Synth, files: Path, clock: ClockOutput) -> None:
        self.answers: list[dict[str, Any]] = []
        self.handler = CommandHandler(synth, files, clock, self.answers.append)

    def __call__(self, kind: str, client: str = "me", **fields: Any) -> None:
        self.handler.take(json.dumps({"kind": kind, "client": client} | fields).encode())


@pytest.fixture
def talk(synth: Synth, clock: ClockOutput, tmp_path: Path) -> Iterator[Talk]:
    talking = Talk(synth, tmp_path, clock)
    yield talking
    talking.handler.close()
    hear_and_hush(synth)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["set", "press", "lift", "place", "seed", "vary", "device", "keep", "roll", "say", "nonsense"])
fields = st.sampled_from(["name", "value", "pitch", "velocity", "x", "y", "seed", "count", "seconds", "held", "what"])


@given(st.binary(max_size=80) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_a_command_or_refused(data: bytes) -> None:
    with pytest.raises(CmaudioError, match="not understood"):
        parse_command(data)


@given(kinds, st.dictionaries(fields, json_values, max_size=4))
def test_a_command_taken_holds_what_it_may(kind: str, given_fields: dict[str, Any]) -> None:
    try:
        command: Command = parse_command(json.dumps({"kind": kind, "client": "me"} | given_fields))
    except CmaudioError:
        return
    taken = command.model_dump()
    assert taken["kind"] == kind
    assert set(given_fields) <= set(taken)
    for name, value in given_fields.items():
        assert taken[name] == value
        assert not isinstance(value, float) or np.isfinite(value)
    assert 0 <= taken.get("pitch", 0) <= 127
    assert abs(taken.get("x", 0)) <= 1


@pytest.mark.parametrize(
    "nonsense",
    [
        {"kind": "press", "pitch": 128, "velocity": 90},
        {"kind": "press", "pitch": "60", "velocity": 90},
        {"kind": "set", "name": "gain", "value": 1000},
        {"kind": "set", "name": "loudness", "value": 1},
        {"kind": "place", "x": 3, "y": 0},
        {"kind": "timbre", "name": "kazoo"},
        {"kind": "preset", "name": "no such preset"},
        {"kind": "recall", "slot": "B"},
        {"kind": "device", "name": "no such card"},
        {"kind": "say", "text": "notes cannot talk"},
        {"kind": "stop"},
        {"kind": "explode"},
        {"kind": "press", "pitch": 60, "velocity": 90, "loud": True},
    ],
    ids=lambda command: json.dumps(command),
)
def test_nonsense_is_refused_and_the_sound_goes_on(talk: Talk, synth: Synth, nonsense: dict[str, Any]) -> None:
    talk("press", pitch=64, velocity=100)
    wait_for(lambda: peak(synth) > AUDIBLE)
    before = synth.controls.values(), synth.controls.timbre, synth.controls.seed
    talk(**nonsense)
    wait_for(lambda: talk.answers)
    assert talk.answers[0]["kind"] == "refused"
    assert talk.answers[0]["client"] in ("me", "")
    assert (synth.controls.values(), synth.controls.timbre, synth.controls.seed) == before
    heard = synth.recorder.made_samples
    wait_for(lambda: synth.recorder.made_samples > heard + synth.recorder.sample_rate // 2)
    assert peak(synth) > AUDIBLE


def test_who_goes_away_lets_go_of_what_only_he_holds(talk: Talk, synth: Synth) -> None:
    def keys() -> set[int]:
        return set(synth.engine.allocator.channels[0].keys)

    talk("press", "one", pitch=60, velocity=90)
    talk("press", "one", pitch=64, velocity=90)
    talk("press", "other", pitch=64, velocity=90)
    talk("set", "one", name="bend", value=1.5, held=True)
    talk("set", "one", name="vibrato", value=0.5)
    talk("sustain", "one", down=True)
    wait_for(lambda: keys() == {60, 64} and synth.engine.allocator.channels[0].sustain)
    talk("gone", "one")
    wait_for(lambda: keys() == {64} and not synth.engine.allocator.channels[0].sustain)
    assert synth.controls["bend"] == 0
    assert synth.controls["vibrato"] == 0.5
    talk.handler.release()
    wait_for(lambda: keys() == set())
    assert not talk.answers


def test_slots_hold_all_controls(talk: Talk, synth: Synth) -> None:
    talk("place", x=0.25, y=-0.5)
    talk("set", name="brightness", value=3.0)
    talk("seed", seed=7)
    kept = synth.controls.values(), synth.controls.timbre, 7
    talk("store", slot="A")
    talk("timbre", name="third")
    talk("reset")
    talk("seed", seed=None)
    talk("store", slot="B")
    assert synth.controls["brightness"] == 0
    talk("recall", slot="A")
    assert (synth.controls.values(), synth.controls.timbre, synth.controls.seed) == kept
    talk("recall", slot="B")
    assert synth.controls.timbre == {"third": 1.0}
    assert (synth.controls.seed, talk.answers) == (None, [])


def test_presets_are_saved_and_found(talk: Talk, synth: Synth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.files.folders.user_folder", lambda: tmp_path)
    talk("place", x=0.1, y=0.2)
    talk("save_preset", name="Between")
    assert talk.answers[0]["kind"] == "notice"
    assert [preset["name"] for preset in talk.handler.presets] == ["Between"]
    mix = synth.controls.timbre
    talk("timbre", name="second")
    talk("preset", name="Between")
    assert synth.controls.timbre == pytest.approx(mix)
    talk("save_preset", name="no/slashes")
    assert talk.answers[-1]["kind"] == "refused"


# -- the parts ---------------------------------------------------------------------------------------------------------


def test_a_control_learns_its_controller(
    talk: Talk, synth: Synth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cmaudio.midi.bindings, "bindings_file", lambda: tmp_path / "midi.json")
    talk("learn", name="vibrato")
    assert "no MIDI is connected" in talk.answers.pop()["text"]
    system = FakeSystem(KEYS)
    with synth.connect_midi(system=system, bindings=Bindings()) as midi:
        talk("learn", name="cutoff")
        assert "no control 'cutoff'" in talk.answers.pop()["text"]
        talk("learn", name="vibrato")
        assert talk.answers.pop()["text"] == "move the controller that is to move vibrato"
        for value in (10, 60, 90):
            system.send([0xB0, 20, value])
        wait_for(lambda: synth.controls["vibrato"] > 0.5)
        assert [binding.control for binding in midi.bindings] == ["vibrato"]
        assert [binding.control for binding in Bindings.load()] == ["vibrato"]
        assert talk.answers.pop()["text"].startswith("controller 20 on channel 1 -> vibrato")
    synth.controls.reset()


def test_columns_are_the_models_own_mel(tiny: TinyModel) -> None:
    model: Model = tiny.model
    engine = Engine(model, gain_db=24)
    engine.note_on(60, at=1_000)
    recorder = Recorder(engine)
    spectrum = Spectrum(model, recorder)
    made, columns = [], []
    for samples in (1_000, 63, 1, 2_000, 640):
        made.append(recorder.read(samples))
        columns.append(spectrum.take())
    sound = np.pad(np.concatenate(made), (model.stft.overlap, 0))
    floor = np.log(model.mel.floor)
    expected = 255 * np.clip((model.mel(model.stft.analyse(sound)) - floor) / (1 - floor), 0, 1)
    np.testing.assert_allclose(np.concatenate(columns), expected[: sum(map(len, columns))], atol=0.51)
    assert sum(map(len, columns)) == sum(map(len, made)) // model.stft.hop_length
    assert expected.max() > 60


def test_clock_output_empties_the_ring_like_a_sound_card() -> None:
    packets: list[bytes] = []
    output, ring = ClockOutput(), Ring(48_000)
    output.on_packet = packets.append
    rng = np.random.default_rng(0)
    sound = rng.uniform(-0.9, 0.9, 8_000).astype(np.float32)
    ring.write(sound)
    stream = output(ring, 16_000, None, 0, False)
    stream.start()
    wait_for(lambda: len(packets) * PACKET_SECONDS * 16_000 >= 8_000 + 320)
    stream.close()
    assert not stream.active
    heard = np.frombuffer(b"".join(packets), "<i2") / 32_767
    np.testing.assert_allclose(heard[64 : 8_000 - 64], sound[64 : 8_000 - 64], atol=1e-4)
    assert not heard[8_000 + 64 :].any()
    assert ring.counters().underruns > 0


def test_variations_spread_around_a_place() -> None:
    places = np.array(around((0.5, 0.0), 0.2, 16))
    assert tuple(places[0]) == (0.5, 0.0)
    distance = np.hypot(*(places - (0.5, 0.0)).T)
    assert distance.max() == pytest.approx(0.2)
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + 10 * np.eye(16)
    assert apart.min() > 0.04
    assert np.abs(around((1.0, 1.0), 1.0, 9)).max() <= 1


def test_what_was_played_becomes_a_phrase() -> None:
    played: list[tuple[float, Event]] = [
        (1.0, NoteOn(0, 60, 90, 0)),
        (1.5, NoteOn(0, 64, 80, 0)),
        (2.0, NoteOff(0, 60)),
        (2.1, NoteOff(0, 50)),
    ]
    assert notes_of(played, 3.0) == [PhraseNote(0.0, 60, 90, 1.0), PhraseNote(0.5, 64, 80, 1.5)]
    assert notes_of([], 3.0) == []


def test_without_nicegui_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CmaudioError, match=r"pip install 'cmaudio\[panel\]'"):
        demand_nicegui()


# -- the server --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def running_host(synth: Synth, clock: ClockOutput, files: Path, token: str | None) -> Iterator[Any]:
    pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'cmaudio[panel]'")
    from cmaudio.panel.host import Address, Host

    host = Host(synth, Address("127.0.0.1", free_port(), token), files, clock, lambda text: None)
    try:
        yield host
    finally:
        host.close()


@pytest.fixture(scope="module")
def host(synth: Synth, clock: ClockOutput, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An instrument with its page served, no token asked for."""
    yield from running_host(synth, clock, tmp_path_factory.mktemp("takes"), None)


@pytest.fixture(scope="module")
def guarded(synth: Synth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same with a token."""
    yield from running_host(synth, ClockOutput(), tmp_path_factory.mktemp("guarded"), "s3cret")


def status(host: Any, path: str, **headers: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{host.address.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return 0  # nobody there


def connect(host: Any, path: str, **headers: str) -> Any:
    """An open web socket."""
    from websockets.sync.client import connect as open_socket

    return open_socket(f"ws://127.0.0.1:{host.address.port}{path}", additional_headers=headers)


def refused(connecting: Callable[[], Any]) -> bool:
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as error:
        connecting()
    return bool(error.value.response.status_code == 403)


ROUTES = ("/", "/panel/main.js", "/files/any.wav", "/_nicegui_ws/socket.io/?EIO=4&transport=polling", "/no/such")


def test_a_wrong_token_gets_nothing(guarded: Any) -> None:
    wrong: list[dict[str, str]] = [{}, {"Cookie": "cmaudio-panel=wrong"}]
    for headers in wrong:
        assert {status(guarded, path, **headers) for path in ROUTES} == {403}
        for path in ("/live?client=me", "/listen", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"):
            assert refused(partial(connect, guarded, path, **headers))
    assert status(guarded, "/?token=s3cre") == 403
    assert refused(lambda: connect(guarded, "/live?client=me&token=%C3%A9"))
    right = {"Cookie": "cmaudio-panel=s3cret"}
    assert status(guarded, "/panel/main.js", **right) == 200
    assert status(guarded, "/panel/main.js?token=s3cret") == 200
    with connect(guarded, "/live?client=me", **right) as socket:
        assert json.loads(socket.recv())["model"] == "tiny"


def test_only_the_own_page_under_the_own_name_comes_in(host: Any) -> None:
    own = f"127.0.0.1:{host.address.port}"
    assert status(host, "/panel/main.js") == 200
    assert status(host, "/panel/main.js", Host=f"localhost:{host.address.port}") == 200
    assert status(host, "/panel/main.js", Host="evil.example") == 403
    assert status(host, "/panel/main.js", Origin="http://evil.example") == 403
    assert status(host, "/panel/main.js", Origin=f"http://{own}") == 200
    assert refused(lambda: connect(host, "/live?client=me", Origin="http://evil.example"))


def test_only_sounds_of_the_folder_are_served(host: Any) -> None:
    folder = host.handler.takes.folder
    (folder / "notes.txt").write_text("private")
    (folder.parent / "outside.wav").write_bytes(b"private")
    for name in ("notes.txt", "../outside.wav", "..%2Foutside.wav", "%2Fetc%2Fpasswd", "none.wav"):
        assert status(host, f"/files/{name}") == 404


def test_a_taken_port_is_told_with_the_remedy(synth: Synth, clock: ClockOutput, host: Any, tmp_path: Path) -> None:
    from cmaudio.panel.host import Address, Host

    with pytest.raises(CmaudioError, match=r"--port"):
        Host(synth, Address("127.0.0.1", host.address.port, None), tmp_path, ClockOutput(), lambda text: None)


def test_a_client_that_disconnects_while_holding_a_key_leaves_silence(host: Any, synth: Synth) -> None:
    hear_and_hush(synth)
    with connect(host, "/live?client=me") as socket:
        socket.send(json.dumps({"kind": "set", "name": "bend", "value": 2, "held": True}))
        socket.send(json.dumps({"kind": "press", "pitch": 64, "velocity": 100}))
        wait_for(lambda: peak(synth) > AUDIBLE and synth.controls["bend"] == 2)
        socket.socket.close()  # without a goodbye
    wait_for(lambda: synth.engine.idle and peak(synth) < AUDIBLE)
    assert synth.controls["bend"] == 0


def test_nonsense_on_the_wire_is_answered_and_the_next_command_works(host: Any, synth: Synth) -> None:
    with connect(host, "/live?client=me") as socket:
        for nonsense in ("", "{", "[]", "null", '{"kind": "set"}', "[" * 100_000, '{"kind":"seed","seed":1e400}'):
            socket.send(nonsense)
            while (answer := json.loads(socket.recv()))["kind"] in ("hello", "state"):
                pass
            assert answer["kind"] == "refused"
        socket.send(json.dumps({"kind": "seed", "seed": 2**62}))
        wait_for(lambda: synth.controls.seed == 2**62)
    synth.controls.set_seed(None)


def test_a_server_that_dies_is_started_again_and_the_sound_goes_on(guarded: Any, synth: Synth) -> None:
    guarded.handler.take(b'{"kind":"press","client":"me","pitch":60,"velocity":90}')
    wait_for(lambda: peak(synth) > AUDIBLE)
    heard, old = synth.recorder.made_samples, guarded._process
    old.kill()
    wait_for(lambda: not synth.engine.allocator.channels[0].keys)
    wait_for(lambda: guarded._process is not old and status(guarded, "/panel/main.js?token=s3cret") == 200)
    hear_and_hush(synth)
    assert synth.recorder.made_samples > heard
    assert synth.state().player.status == "playing"


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless browser."""
    yield from running_browser(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def page(browser: Any, host: Any) -> Any:
    """The page, loaded and connected."""
    browser.get(host.address.url)
    wait_for(lambda: browser.execute_script("return document.querySelector('cm-load .lead b')?.textContent"), 40)
    return browser


@pytest.fixture
def quiet(page: Any, synth: Synth) -> Iterator[Any]:
    hear_and_hush(synth)
    yield page
    hear_and_hush(synth)


def element(page: Any, selector: str) -> Any:
    from selenium.webdriver.common.by import By

    return page.find_element(By.CSS_SELECTOR, selector)


def actions(page: Any) -> Any:
    from selenium.webdriver import ActionChains

    return ActionChains(page, duration=50)


def test_nothing_comes_from_elsewhere(page: Any, host: Any) -> None:
    loaded = page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(loaded) > 10
    assert {name.split("/")[2] for name in loaded if "//" in name} == {f"127.0.0.1:{host.address.port}"}
    assert not [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_key_of_the_computer_sounds_and_is_shown(quiet: Any, synth: Synth) -> None:
    actions(quiet).key_down("d").perform()
    wait_for(lambda: peak(synth) > AUDIBLE)
    assert set(synth.engine.allocator.channels[0].keys) == {52}
    wait_for(lambda: element(quiet, '.key[data-pitch="52"]').get_attribute("class").split()[-2:] == ["mine", "down"])
    actions(quiet).key_up("d").perform()
    wait_for(lambda: not synth.engine.allocator.channels[0].keys)


def test_a_key_on_the_screen_is_the_louder_the_lower_it_is_struck(quiet: Any, synth: Synth) -> None:
    velocities = []
    for height in (-40, 40):
        key = element(quiet, '.key[data-pitch="55"]')
        actions(quiet).move_to_element_with_offset(key, 0, height).click_and_hold().perform()
        wait_for(lambda: synth.engine.allocator.channels[0].keys)
        velocities.append(synth.engine.allocator.channels[0].keys[55].velocity)
        actions(quiet).release().perform()
        wait_for(lambda: not synth.engine.allocator.channels[0].keys)
    assert velocities[0] + 20 < velocities[1]


def test_two_fingers_play_two_keys(quiet: Any, synth: Synth) -> None:
    def touch(kind: str, *pitches: int) -> None:
        points = []
        for finger, pitch in enumerate(pitches):
            box = element(quiet, f'.key[data-pitch="{pitch}"]').rect
            points.append({"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] - 9, "id": finger})
        quiet.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    keys = synth.engine.allocator.channels[0].keys
    touch("touchStart", 52, 59)
    wait_for(lambda: set(keys) == {52, 59})
    touch("touchMove", 53, 59)  # a finger that slides plays the keys it meets
    wait_for(lambda: set(keys) == {53, 59})
    touch("touchEnd")
    wait_for(lambda: not keys)


def test_keys_are_released_when_the_window_loses_the_focus(quiet: Any, synth: Synth) -> None:
    actions(quiet).key_down("a").perform()
    wait_for(lambda: synth.engine.allocator.channels[0].keys)
    quiet.execute_script("dispatchEvent(new Event('blur'))")
    wait_for(lambda: not synth.engine.allocator.channels[0].keys)
    actions(quiet).key_up("a").perform()


def test_dragging_on_the_map_changes_the_timbre_that_sounds(quiet: Any, synth: Synth) -> None:
    controls = synth.controls
    note = synth.press(60)
    wait_for(lambda: note.voice is not None)
    before = controls.vector.copy()
    pad = element(quiet, "cm-map")
    actions(quiet).move_to_element(pad).click_and_hold().move_by_offset(40, 60).release().perform()
    wait_for(lambda: controls["timbre_y"] < -0.1 and controls["timbre_x"] > 0.05)
    assert np.abs(controls.vector - before).max() > 0.01
    np.testing.assert_allclose(controls.vector, controls.timbre_map.vector(controls["timbre_x"], controls["timbre_y"]))
    voice = note.voice
    assert voice is not None
    wait_for(lambda: np.allclose(voice.timbre.target, controls.vector))
    wait_for(lambda: "%" in element(quiet, ".mix").text)


def test_a_slider_moves_its_control_and_goes_back(quiet: Any, synth: Synth) -> None:
    slider = element(quiet, 'cm-slider[control="brightness"] input')
    actions(quiet).move_to_element(slider).click_and_hold().move_by_offset(50, 0).release().perform()
    wait_for(lambda: synth.controls["brightness"] > 1)
    actions(quiet).double_click(slider).perform()
    wait_for(lambda: synth.controls["brightness"] == 0)
    synth.controls.set("brightness", -3.0)
    wait_for(lambda: float(slider.get_attribute("value")) == pytest.approx(-3, abs=0.05))


def test_a_right_click_on_a_control_asks_for_midi_learn(quiet: Any, synth: Synth) -> None:
    with synth.connect_midi(system=FakeSystem(KEYS), bindings=Bindings()) as midi:
        actions(quiet).context_click(element(quiet, 'cm-slider[control="brightness"]')).perform()
        wait_for(lambda: midi.bindings.learning == "brightness")


def test_a_recording_holds_what_was_played(quiet: Any, synth: Synth, host: Any) -> None:
    start = synth.recorder.made_samples
    element(quiet, ".record").click()
    wait_for(lambda: host.handler.takes.recording)
    name = host.handler.takes.recording["file"]
    actions(quiet).key_down("f").perform()
    wait_for(lambda: peak(synth) > AUDIBLE)
    actions(quiet).key_up("f").perform()
    hear_and_hush(synth)
    wait_for(lambda: element(quiet, ".record").text.endswith("stop"))
    element(quiet, ".record").click()
    wait_for(lambda: host.handler.takes.recording is None and name in element(quiet, ".files").text)
    recorded, _ = soundfile.read(host.handler.takes.folder / name, dtype="float32")
    made = np.concatenate([*synth.recorder.samples(start, synth.recorder.made_samples)])
    loudest = int(np.abs(recorded).argmax())
    assert np.abs(recorded[loudest]) > AUDIBLE
    offset = int(np.abs(made).argmax()) - loudest
    np.testing.assert_allclose(recorded, made[offset : offset + len(recorded)], atol=1e-6)
    assert status(host, f"/files/{name}") == 200


def test_variations_are_as_many_files_and_all_different(quiet: Any, host: Any) -> None:
    element(quiet, ".work .q-tab:nth-of-type(2)").click()
    wait_for(lambda: [found for found in quiet.find_elements("css selector", ".render") if found.is_displayed()])
    for label, value in (("how many", "3"), ("seconds", "0.4")):
        field = element(quiet, f'.fields input[aria-label="{label}"]')
        quiet.execute_script("arguments[0].select()", field)
        field.send_keys(value)
    element(quiet, ".render").click()
    wait_for(lambda: host.handler.variations.status["done"] == 3 and not host.handler.variations.status["running"], 40)
    names = [row["name"] for row in host.handler.variations.status["files"]]
    wait_for(lambda: len(quiet.find_elements("css selector", ".work cm-play[file^=vary]")) >= 3)
    sounds = [soundfile.read(host.handler.takes.folder / name, dtype="float32")[0] for name in names]
    assert len(sounds) == 3
    for i, sound in enumerate(sounds):
        assert np.abs(sound).max() > AUDIBLE
        for other in sounds[:i]:
            shared = min(len(sound), len(other))
            assert np.abs(sound[:shared] - other[:shared]).max() > AUDIBLE


def test_variations_can_be_cancelled(talk: Talk) -> None:
    talk("vary", what="places", count=64, phrase="note", seconds=20.0)
    wait_for(lambda: talk.handler.variations.status["part"] > 0)
    talk("vary", what="seeds", count=2)
    assert "cancel" in talk.answers[0]["text"]
    talk("cancel")
    wait_for(lambda: not talk.handler.variations.status["running"])
    assert talk.handler.variations.status["done"] < 64
    assert not [*talk.handler.takes.folder.glob("*.part"), *talk.handler.takes.folder.glob(".*.part")]
    assert talk.handler.variations.status["error"] == ""


def test_the_page_sounds_itself(quiet: Any, synth: Synth) -> None:
    listening = element(quiet, "cm-listen")
    listening.find_element("css selector", "button").click()
    actions(quiet).key_down("g").perform()
    wait_for(lambda: int(listening.get_attribute("data-heard") or 0) > 1_000)
    actions(quiet).key_up("g").perform()
    listening.find_element("css selector", "button").click()
    wait_for(lambda: listening.text == "listen")


def test_the_sound_streams_as_it_was_made(host: Any, synth: Synth) -> None:
    hear_and_hush(synth)
    with connect(host, "/listen") as socket:
        rate = json.loads(socket.recv())["sample_rate"]
        assert rate == synth.recorder.sample_rate
        synth.press(62)
        packets: list[bytes] = []
        until = time.monotonic() + 20
        while not packets or np.abs(np.frombuffer(b"".join(packets[-5:]), "<i2")).max() < 100:
            packets.append(socket.recv())
            assert time.monotonic() < until
        packets += [socket.recv() for _ in range(10)]
    assert {len(packet) for packet in packets} == {2 * round(PACKET_SECONDS * rate)}
    heard = np.frombuffer(b"".join(packets[-8:]), "<i2") / 32_767
    end = synth.recorder.made_samples
    made = np.concatenate([*synth.recorder.samples(end - 2 * rate, end)])
    match = np.correlate(made, heard.astype(np.float32), "valid")
    at = int(match.argmax())
    np.testing.assert_allclose(heard, made[at : at + len(heard)], atol=1e-3)
    hear_and_hush(synth)
