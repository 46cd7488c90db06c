"""Pads in place of the keyboard: struck by mouse, computer keys and MIDI channel 10, found by name, released."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.browser import actions, element, is_chromium, wait_for
from fixtures.midi import KEYS, FakeSystem
from fixtures.panel import Pages
from fixtures.screens import screen

from cmaudio.midi.bindings import Bindings
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.commands import RenderVariations
from cmaudio.panel.variations.job import make_job
from cmaudio.synth import Synth, open


@pytest.fixture(scope="module")
def synth(clock: ClockOutput) -> Iterator[Synth]:
    """The textures, playing without a sound card."""
    with open("textures", open_stream=clock, lead_ms=60, polyphony=8) as playing:
        yield playing


def struck(synth: Synth) -> dict[int, str]:
    """Key -> nearest timbre of the pads that are down."""
    model = synth.model
    keys = dict(synth.engine.allocator.channels[9].keys)
    return {key: model.nearest_timbre(n.voice.timbre.target).name for key, n in keys.items() if n.voice is not None}


def key_of(synth: Synth, name: str) -> int:
    return next(key for key, each in synth.model.drums.items() if each == name)


def search(page: Any, text: str) -> None:
    page.execute_script(
        "const field = document.querySelector('cm-pads input');"
        "field.value = arguments[0]; field.dispatchEvent(new Event('input'))",
        text,
    )


def test_a_pad_sounds_its_class_until_it_is_lifted(pages: Pages, synth: Synth) -> None:
    thunder, rain = key_of(synth, "thunder"), key_of(synth, "rain")
    pages.send("pad", pitch=thunder, velocity=100)
    pages.send("pad", pitch=rain, velocity=90)
    wait_for(lambda: struck(synth) == {thunder: "thunder", rain: "rain"})
    pages.send("lift_pad", pitch=thunder)
    wait_for(lambda: struck(synth) == {rain: "rain"})
    pages.handler.disconnect("me")
    wait_for(lambda: not struck(synth))
    assert pages.quiet


def test_the_pad_struck_last_is_varied_until_a_timbre_is_chosen(pages: Pages, synth: Synth, tmp_path: Path) -> None:
    synth.controls.set_timbre("rain")
    assert not pages.handler.held_inputs.struck
    pages.send("pad", pitch=key_of(synth, "door close"), velocity=100)
    held = pages.handler.held_inputs
    assert held.struck == "door close"
    command = RenderVariations(kind="vary", what="seeds", count=3, timbre=held.struck)
    job = make_job(command, synth.controls, synth.recorder, tmp_path)
    places = synth.controls.timbre_map.places[synth.controls.timbre_map.names.index("door close")]
    assert [item.sound for item in job.items] == 3 * ["door close"]
    assert {(item.x, item.y) for item in job.items} == {tuple(places.tolist())}
    assert all(item.timbre == {"door close": 1.0} for item in job.items)
    pages.send("timbre", name="thunder")
    assert not held.struck
    pages.send("vary", what="seeds", count=1, timbre="no such sound")
    assert "no such sound" in pages.refusal()


def test_variations_say_which_pad_they_are_of(quiet: Any, synth: Synth) -> None:
    synth.controls.set_timbre("rain")
    element(quiet, ".work .q-tab:nth-of-type(2)").click()
    wait_for(lambda: element(quiet, ".work .of").text == "of rain")
    search(quiet, "door close")
    pad = element(quiet, f'cm-pads .pad[data-key="{key_of(synth, "door close")}"]')
    actions(quiet).click(pad).perform()
    wait_for(lambda: element(quiet, ".work .of").text == "of door close")
    assert synth.controls.timbre == {"rain": 1.0}, "other pads may still sound"
    search(quiet, "")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ({"kind": "pad", "pitch": 20, "velocity": 90}, "no pad on key 20"),
        ({"kind": "pad", "pitch": 128, "velocity": 90}, "pitch"),
        ({"kind": "pad", "pitch": 40, "velocity": 0}, "velocity"),
    ],
)
def test_pads_that_are_none_are_refused(pages: Pages, command: dict[str, Any], told: str) -> None:
    pages.send(**command)
    assert told in pages.refusal()


def test_keys_of_midi_channel_10_are_pads(synth: Synth) -> None:
    system = FakeSystem(KEYS)
    midi = synth.connect_midi(bindings=Bindings(), system=system)
    try:
        key = key_of(synth, "door close")
        system.send([0x99, key, 100])
        wait_for(lambda: struck(synth) == {key: "door close"})
        system.send([0x89, key, 0])
        wait_for(lambda: not struck(synth))
    finally:
        midi.close()


def test_sixteen_pads_are_shown_and_the_next(quiet: Any) -> None:
    search(quiet, "")

    def names() -> list[str]:
        return list(quiet.execute_script("return [...document.querySelectorAll('cm-pads .pad')].map(e => e.title)"))

    first = names()
    assert len(first) == 16
    assert not quiet.find_elements("css selector", "cm-keys")
    element(quiet, 'cm-pads [aria-label="next 16 sounds"]').click()
    wait_for(lambda: names() != first)
    assert not set(names()) & set(first)
    element(quiet, 'cm-pads [aria-label="previous 16 sounds"]').click()
    wait_for(lambda: names() == first)


def test_a_sound_is_found_by_name_and_struck_by_mouse_and_key(quiet: Any, synth: Synth) -> None:
    search(quiet, "HIT wood")
    key = key_of(synth, "wood hit")
    pad = element(quiet, f'cm-pads .pad[data-key="{key}"]')
    actions(quiet).move_to_element(pad).click_and_hold().perform()
    wait_for(lambda: struck(synth) == {key: "wood hit"})
    wait_for(lambda: "down" in pad.get_attribute("class"))
    actions(quiet).release().perform()
    wait_for(lambda: not struck(synth))
    actions(quiet).key_down("1").perform()
    wait_for(lambda: struck(synth) == {key: "wood hit"})
    actions(quiet).key_up("1").perform()
    wait_for(lambda: not struck(synth))
    search(quiet, "no such sound")
    wait_for(lambda: element(quiet, "cm-pads .banks span").text == "none")


def test_a_held_pad_sounds_until_it_is_struck_again(quiet: Any, synth: Synth) -> None:
    search(quiet, "rain")
    key = key_of(synth, "rain")
    pad = element(quiet, f'cm-pads .pad[data-key="{key}"]')
    element(quiet, "cm-pads .hold").click()
    actions(quiet).click(pad).perform()
    wait_for(lambda: struck(synth) == {key: "rain"})
    quiet.execute_script("dispatchEvent(new Event('blur'))")
    actions(quiet).click(pad).perform()
    wait_for(lambda: not struck(synth))
    element(quiet, "cm-pads .hold").click()


@pytest.mark.parametrize(("width", "height"), [(844, 390), (390, 844)])
def test_pads_of_a_telephone_fit_a_finger_and_are_all_in_sight(width: int, height: int, page: Any) -> None:
    if not is_chromium(page):
        pytest.skip("only Chromium's developer tools imitate fingers")
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        screen(page, width, height)
        search(page, "")
        boxes = page.execute_script("""
            return [...document.querySelectorAll('cm-pads button')].map((e) => {
              const { height, bottom } = e.getBoundingClientRect();
              return [e.textContent, height, bottom];
            });
        """)
    finally:
        page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        screen(page, 1280, 800)
    assert len(boxes) > 16
    assert [box for box in boxes if box[1] < 44 or box[2] > height] == []


def test_the_map_tells_the_families_by_colour(quiet: Any) -> None:
    colours = quiet.execute_script(
        "return Object.fromEntries(document.querySelector('cm-map').timbres.map((t) => [t.family, t.colour]))"
    )
    assert set(colours) == {"beds", "rhythms", "one-shots"}
    assert len(set(colours.values())) == 3
