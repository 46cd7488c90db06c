"""The page in a real browser: keyboard, map, sliders, takes, variations and sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import soundfile
from fixtures.browser import actions, element, is_chromium, wait_for
from fixtures.impulse_responses import write_clap
from fixtures.link import FakeSession, session
from fixtures.midi import KEYS, FakeSystem
from fixtures.panel import AUDIBLE, keys_down, peak, silence, status

from cmaudio.midi.bindings import Bindings
from cmaudio.synth import Synth

__all__ = ["session"]


def test_the_page_loads_nothing_from_elsewhere(page: Any, host: Any) -> None:
    loaded = page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(loaded) > 10
    assert {name.split("/")[2] for name in loaded if "//" in name} == {f"127.0.0.1:{host.address.port}"}
    if is_chromium(page):
        assert not [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_typed_key_sounds_and_is_shown(quiet: Any, synth: Synth) -> None:
    actions(quiet).key_down("d").perform()
    wait_for(lambda: peak(synth) > AUDIBLE)
    assert keys_down(synth) == {52}
    wait_for(lambda: element(quiet, '.key[data-pitch="52"]').get_attribute("class").split()[-2:] == ["mine", "down"])
    actions(quiet).key_up("d").perform()
    wait_for(lambda: not keys_down(synth))


def test_a_key_is_louder_the_lower_it_is_clicked(quiet: Any, synth: Synth) -> None:
    velocities = []
    for height in (-40, 40):
        key = element(quiet, '.key[data-pitch="55"]')
        actions(quiet).move_to_element_with_offset(key, 0, height).click_and_hold().perform()
        wait_for(lambda: keys_down(synth))
        velocities.append(synth.engine.allocator.channels[0].keys[55].velocity)
        actions(quiet).release().perform()
        wait_for(lambda: not keys_down(synth))
    assert velocities[0] + 20 < velocities[1]


def test_two_fingers_play_two_keys_and_slide(quiet: Any, synth: Synth) -> None:
    def touch(kind: str, *pitches: int) -> None:
        points = []
        for finger, pitch in enumerate(pitches):
            box = element(quiet, f'.key[data-pitch="{pitch}"]').rect
            points.append({"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] - 9, "id": finger})
        quiet.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    if not is_chromium(quiet):
        pytest.skip("only Chromium's developer tools imitate fingers")
    keys = synth.engine.allocator.channels[0].keys
    touch("touchStart", 52, 59)
    wait_for(lambda: set(keys) == {52, 59})
    touch("touchMove", 53, 59)  # a finger that slides plays the keys it meets
    wait_for(lambda: set(keys) == {53, 59})
    touch("touchEnd")
    wait_for(lambda: not keys)


def test_keys_are_released_when_the_window_loses_focus(quiet: Any, synth: Synth) -> None:
    actions(quiet).key_down("a").perform()
    wait_for(lambda: keys_down(synth))
    quiet.execute_script("dispatchEvent(new Event('blur'))")
    wait_for(lambda: not keys_down(synth))
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


def test_a_slider_moves_its_control_follows_it_and_returns_to_its_default(quiet: Any, synth: Synth) -> None:
    slider = element(quiet, 'cm-slider[control="brightness"] input')
    actions(quiet).move_to_element(slider).click_and_hold().move_by_offset(50, 0).release().perform()
    wait_for(lambda: synth.controls["brightness"] > 1)
    # Beside the middle, where the first click alone would be the default.
    actions(quiet).move_to_element_with_offset(slider, 30, 0).double_click().perform()
    wait_for(lambda: synth.controls["brightness"] == 0)
    synth.controls.set("brightness", -3.0)
    wait_for(lambda: float(slider.get_attribute("value")) == pytest.approx(-3, abs=0.05))


def test_each_press_of_a_key_moves_a_slider(quiet: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    definition = synth.controls.definitions["brightness"]
    slider = element(quiet, 'cm-slider[control="brightness"] input')
    wait_for(lambda: float(slider.get_attribute("value")) == 0)
    for _ in range(10):  # while what was set before comes back as state
        slider.send_keys(Keys.ARROW_RIGHT * 5)
    expected = pytest.approx(50 * (definition.max - definition.min) / 400, abs=1e-3)
    wait_for(lambda: synth.controls["brightness"] == expected)
    wait_for(lambda: float(slider.get_attribute("value")) == expected)


def test_effects_unfold_and_their_choices_are_named(quiet: Any, synth: Synth) -> None:
    from selenium.webdriver.common.by import By

    groups = {
        group.find_element(By.TAG_NAME, "summary").text: group
        for group in quiet.find_elements(By.CSS_SELECTOR, ".controls details.group")
    }
    assert list(groups) == ["Tone", "Place", "Reverb", "Chorus", "Delay", "Scatter", "Keyboard", "Modulation"]
    assert not element(quiet, 'cm-slider[control="reverb_decay"]').is_displayed()
    for group in ("Reverb", "Delay"):
        groups[group].find_element(By.TAG_NAME, "summary").click()
    wait_for(lambda: element(quiet, 'cm-slider[control="reverb_decay"]').is_displayed())

    def choice(group: str, name: str) -> Any:
        return next(each for each in groups[group].find_elements(By.CSS_SELECTOR, ".named button") if each.text == name)

    actions(quiet).move_to_element(choice("Reverb", "plate")).click().perform()
    wait_for(lambda: synth.controls["reverb_kind"] == 2)
    actions(quiet).move_to_element(choice("Delay", "off")).click().perform()
    wait_for(lambda: synth.controls["delay_ping_pong"] == 0)
    synth.controls.set("reverb_kind", 3)
    wait_for(lambda: choice("Reverb", "cathedral").get_attribute("aria-pressed") == "true")
    assert choice("Reverb", "plate").get_attribute("aria-pressed") == "false"


def test_an_impulse_response_is_chosen_among_the_sound_files(quiet: Any, synth: Synth, host: Any) -> None:
    from selenium.webdriver.common.by import By

    write_clap(host.handler.takes.folder / "hall.wav")
    quiet.execute_script("document.querySelectorAll('details.group').forEach((group) => (group.open = true))")

    def option(name: str) -> Any:
        if not quiet.find_elements(By.CSS_SELECTOR, ".q-menu"):  # a click while the groups still open goes astray
            actions(quiet).move_to_element(element(quiet, ".group .whole")).click().perform()
        return next((each for each in quiet.find_elements(By.CSS_SELECTOR, ".q-item") if each.text == name), None)

    wait_for(lambda: option("hall.wav"))
    option("hall.wav").click()
    wait_for(lambda: synth.impulse_response == str(host.handler.takes.folder / "hall.wav"))
    synth.controls.set("brightness", 3)
    slider = element(quiet, 'cm-slider[control="brightness"] input')
    wait_for(lambda: float(slider.get_attribute("value") or 0) == 3)  # so the page has seen the file in use as well
    synth.use_impulse_response(None)
    wait_for(lambda: element(quiet, ".group .whole input").get_attribute("value") == "none")


def test_a_right_click_on_a_slider_starts_midi_learn(quiet: Any, synth: Synth) -> None:
    with synth.connect_midi(system=FakeSystem(KEYS), bindings=Bindings()) as midi:
        actions(quiet).context_click(element(quiet, 'cm-slider[control="brightness"]')).perform()
        wait_for(lambda: midi.bindings.learning == "brightness")


def test_the_session_of_link_is_joined_shown_and_left(quiet: Any, session: FakeSession) -> None:
    session.tempo, session.peers = 101.5, 2
    button = element(quiet, ".link")
    button.click()
    wait_for(lambda: button.text == "Link 101.5 · 2 peers")
    button.click()
    wait_for(lambda: button.text == "Link")
    assert session.closed


def test_a_recording_holds_what_was_played(quiet: Any, synth: Synth, host: Any) -> None:
    start = synth.recorder.made_samples
    element(quiet, ".record").click()
    wait_for(lambda: host.handler.takes.recording)
    name = host.handler.takes.recording["file"]
    actions(quiet).key_down("f").perform()
    wait_for(lambda: peak(synth) > AUDIBLE)
    actions(quiet).key_up("f").perform()
    silence(synth)
    wait_for(lambda: element(quiet, ".record").text.endswith("stop take"))
    element(quiet, ".record").click()
    wait_for(lambda: host.handler.takes.recording is None and name in element(quiet, ".files").text)
    recorded, _ = soundfile.read(host.handler.takes.folder / name, dtype="float32")
    made = np.concatenate([*synth.recorder.samples(start, synth.recorder.made_samples)])
    loudest = int(np.abs(recorded).max(1).argmax())
    assert np.abs(recorded[loudest]).max() > AUDIBLE
    offset = int(np.abs(made).max(1).argmax()) - loudest
    np.testing.assert_allclose(recorded, made[offset : offset + len(recorded)], atol=1e-6)
    assert status(host, f"/files/{name}") == 200


def test_enter_after_a_search_chooses_the_first_found(quiet: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    element(quiet, 'button[aria-label^="search and preview"]').click()
    wait_for(lambda: quiet.find_elements("css selector", "cm-browse .list button"))
    element(quiet, "cm-browse input").send_keys("timbre thi", Keys.ENTER)
    wait_for(lambda: synth.controls.timbre == {"third": 1.0})
    wait_for(lambda: not quiet.find_elements("css selector", "cm-browse"))


def test_as_many_variations_as_asked_for_are_rendered_and_all_differ(quiet: Any, host: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    element(quiet, ".work .q-tab:nth-of-type(2)").click()
    wait_for(lambda: [found for found in quiet.find_elements("css selector", ".render") if found.is_displayed()])
    synth.controls.set_timbre({"first": 0.3, "third": 0.7})
    wait_for(lambda: element(quiet, ".work .of").text == "of third + first")
    for label, value in (("how many", "3"), ("seconds", "0.4")):
        field = element(quiet, f'.fields input[aria-label="{label}"]')
        field.send_keys(Keys.CONTROL + "a")
        field.send_keys(value)  # in a call of its own: the first one releases the key
    element(quiet, ".render").click()
    wait_for(lambda: host.handler.variations.status["done"] == 3 and not host.handler.variations.status["running"], 40)
    names = [row["name"] for row in host.handler.variations.status["files"]]
    wait_for(lambda: all(quiet.find_elements("css selector", f'cm-play[file="{name}"]') for name in names))
    sounds = [soundfile.read(host.handler.takes.folder / name, dtype="float32")[0] for name in names]
    assert len(sounds) == 3
    for i, sound in enumerate(sounds):
        assert np.abs(sound).max() > AUDIBLE
        for other in sounds[:i]:
            shared = min(len(sound), len(other))
            assert np.abs(sound[:shared] - other[:shared]).max() > AUDIBLE


def test_the_page_plays_the_sound(quiet: Any, synth: Synth) -> None:
    listening = element(quiet, "cm-listen")
    listening.find_element("css selector", "button").click()
    actions(quiet).key_down("g").perform()
    wait_for(lambda: int(listening.get_attribute("data-heard") or 0) > 1_000)
    actions(quiet).key_up("g").perform()
    silence(synth)
    quiet.execute_script("arguments[0].socket.close()", listening)  # as where a connection is lost
    wait_for(lambda: listening.get_attribute("data-heard") == "0")
    actions(quiet).key_down("g").perform()
    wait_for(lambda: int(listening.get_attribute("data-heard")) > 1_000)
    actions(quiet).key_up("g").perform()
    listening.find_element("css selector", "button").click()
    wait_for(lambda: listening.text == "press to listen")
