"""What the page shows of the sound, the search for sounds, and MIDI: by mouse and keyboard."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from fixtures.browser import actions, element, wait_for
from fixtures.midi import KEYS, FakeSystem
from fixtures.screens import SCREENS, screen

from cmaudio.midi.bindings import Bindings
from cmaudio.synth import Synth


def button(page: Any, text: str) -> Any:
    return next(each for each in page.find_elements("css selector", "cm-readout button") if each.text == text)


def test_loudness_and_the_tuner_follow_the_sound(quiet: Any, synth: Synth) -> None:
    note = synth.press(57)
    wait_for(lambda: element(quiet, "cm-readout .momentary").text not in ("", "–"))
    wait_for(lambda: element(quiet, "cm-readout .short").text not in ("", "–"))
    note.off()


def test_views_are_switched_and_frozen(quiet: Any, synth: Synth) -> None:
    def picture(name: str) -> Any:
        return quiet.execute_script(f"return document.querySelector('cm-spectrum').{name}")

    for text, view in (("L / R", "sides"), ("scope", "scope"), ("spectrum", "sum")):
        button(quiet, text).click()
        assert picture("view") == view
        assert button(quiet, text).get_attribute("aria-pressed") == "true"
    button(quiet, "freeze").click()
    made = picture("made")
    synth.press(60)
    wait_for(lambda: float(element(quiet, "cm-level").get_attribute("data-level")) > -60)
    assert picture("made") == made
    button(quiet, "freeze").click()
    wait_for(lambda: picture("made") > made)


def test_the_cursor_names_note_and_frequency(quiet: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    picture = element(quiet, "cm-spectrum")
    actions(quiet).move_to_element(picture).perform()
    wait_for(lambda: " Hz" in element(quiet, "cm-readout .tuner b").text)
    picture.send_keys(Keys.ARROW_UP)
    low = picture.get_attribute("aria-valuetext")
    picture.send_keys(Keys.PAGE_UP)
    high = picture.get_attribute("aria-valuetext")
    assert float(low.split("·")[1].split()[0]) < float(high.split("·")[1].split()[0])


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_marks_of_frequencies_do_not_overlap(width: int, height: int, page: Any) -> None:
    screen(page, width, height)
    marks = page.execute_async_script("""
        const done = arguments[0];
        requestAnimationFrame(() => requestAnimationFrame(() => done(
          [...document.querySelectorAll('cm-spectrum .marks span')].filter((e) => e.checkVisibility())
            .map((e) => [e.textContent, e.getBoundingClientRect().top]))));
    """)
    screen(page, 1280, 800)
    assert len(marks) >= 2
    assert marks[-1][0].endswith("k")
    heights = [top for _, top in marks]
    assert all(low - high >= 14 for low, high in pairwise(heights))


def test_sounds_are_searched_heard_and_chosen(quiet: Any, synth: Synth) -> None:
    element(quiet, 'button[aria-label^="search and preview"]').click()
    wait_for(lambda: quiet.find_elements("css selector", "cm-browse .list button"))
    element(quiet, "cm-browse input").send_keys("timbre thi")
    wait_for(lambda: [b.text for b in quiet.find_elements("css selector", "cm-browse .list b")] == ["third"])
    row = element(quiet, "cm-browse .list button")
    # From beside the list, since a pointer that lies there while it is drawn anew enters nothing.
    actions(quiet).move_to_element(element(quiet, "cm-browse input")).move_to_element(row).perform()
    wait_for(lambda: any(note.channel == 15 for note in tuple(synth.engine.allocator.notes.values())))
    row.click()
    wait_for(lambda: synth.controls.timbre == {"third": 1.0})
    wait_for(lambda: not quiet.find_elements("css selector", "cm-browse"))


def test_midi_lights_the_lamp_and_learning_is_seen(quiet: Any, synth: Synth) -> None:
    system = FakeSystem(KEYS)
    with synth.connect_midi(system=system, bindings=Bindings()) as midi:
        lamp = element(quiet, "cm-midi")
        wait_for(lambda: lamp.find_element("css selector", "button").is_enabled())
        system.send([0xB0, 74, 10])
        wait_for(lambda: "lit" in (lamp.get_attribute("class") or ""))
        element(quiet, "cm-midi button").click()
        strip = element(quiet, ".learn-strip")
        wait_for(lambda: strip.text.startswith("Choose a control"))
        element(quiet, 'cm-slider[control="brightness"] .name').click()
        wait_for(lambda: midi.bindings.learning == "brightness")
        wait_for(lambda: "for brightness" in strip.text)
        for position in (20, 60, 100):
            system.send([0xB0, 74, position])
        wait_for(lambda: element(quiet, 'cm-slider[control="brightness"] .name').get_attribute("data-bound") == "CC 74")
        element(quiet, ".learn-strip button").click()
        wait_for(lambda: not strip.is_displayed())
