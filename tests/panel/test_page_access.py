"""The page for fingers, keyboards and readers: focus, names, words, and screens of five sizes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from fixtures.browser import actions, element, is_chromium, wait_for
from fixtures.panel import keys_down, silence
from fixtures.screens import SCREENS, screen

from cmaudio.synth import Synth

_ADDRESSES = ("css selector", ".ask .address")


@pytest.mark.parametrize("field", ['.sound input[aria-label="timbre"]', ".device"])
def test_the_computers_keys_play_after_a_choice(field: str, page: Any, synth: Synth) -> None:
    silence(synth)
    element(page, field).click()
    wait_for(lambda: page.find_elements("css selector", ".q-menu .q-item"))
    element(page, ".q-menu .q-item").click()
    wait_for(lambda: page.execute_script("return !document.activeElement.closest('.q-select')"))
    actions(page).key_down("d").perform()
    wait_for(lambda: keys_down(synth) == {52})
    actions(page).key_up("d").perform()
    wait_for(lambda: not keys_down(synth))


def is_shown(page: Any, field: str, value: str) -> bool:
    return bool(element(page, field).get_attribute("value") == value)


def test_a_name_clicked_on_the_map_is_in_the_timbre_field(page: Any, synth: Synth) -> None:
    field = '.sound input[aria-label="timbre"]'
    for name, (x, y) in zip(synth.controls.timbre_map.names, synth.controls.timbre_map.places, strict=True):
        synth.controls.go_to(float(x), float(y))
        wait_for(partial(is_shown, page, field, name))


def test_everything_that_is_pressed_has_a_name_and_the_page_a_language(page: Any) -> None:
    nameless = page.execute_script("""
        const named = (e) => e.ariaLabel || e.labels?.length || e.title
          || e.textContent.replace(e.querySelector('.q-icon')?.textContent ?? '', '').trim();
        return [...document.querySelectorAll('.panel :is(button, input, a, [role=button])')]
          .filter((e) => !named(e)).map((e) => e.outerHTML.slice(0, 200));
    """)
    assert nameless == []
    assert page.execute_script("return document.documentElement.lang") == "en"
    assert element(page, '.key[data-pitch="61"]').get_attribute("aria-label") == "C sharp 4"


def test_fingers_are_shown_no_letters_of_a_computers_keyboard(page: Any) -> None:
    def is_lettered() -> bool:
        return bool(element(page, '.key[data-pitch="48"] i').is_displayed())

    if not is_chromium(page):
        pytest.skip("only Chromium's developer tools imitate fingers")
    screen(page, 390, 844)
    assert is_lettered()
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    wait_for(lambda: not is_lettered())
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    wait_for(is_lettered)
    screen(page, 1280, 800)


def test_no_two_buttons_have_the_same_name(page: Any) -> None:
    names = page.execute_script("""
        const fold = document.querySelector('cm-sequencer .fold');
        if (fold.getAttribute('aria-expanded') === 'false') fold.click();
        const names = [...document.querySelectorAll('.panel button')].filter((e) => e.checkVisibility())
          .map((e) => e.ariaLabel || e.textContent.trim());
        fold.click();
        return names;
    """)
    assert len(names) > 30
    assert sorted(names) == sorted(set(names))


def test_sounds_of_other_models_are_pointed_to(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    screen(page, 1280, 800)
    element(page, "header .model").click()
    wait_for(lambda: "cmaudio panel --model textures" in [each.text for each in page.find_elements(*_ADDRESSES)])
    actions(page).send_keys(Keys.ESCAPE).perform()
    wait_for(lambda: not page.find_elements(*_ADDRESSES))
    element(page, 'button[aria-label^="search and preview"]').click()
    wait_for(lambda: page.find_elements("css selector", "cm-browse input"))
    element(page, "cm-browse input").send_keys("helicopter")
    wait_for(lambda: "cmaudio panel --model textures" in element(page, "cm-browse .found").text)
    actions(page).send_keys(Keys.ESCAPE).perform()
    wait_for(lambda: not page.find_elements("css selector", "cm-browse"))


def test_the_wheels_are_moved_with_the_arrow_keys(page: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    vibrato = element(page, 'cm-wheel [aria-label="vibrato"]')
    vibrato.send_keys(Keys.ARROW_UP)
    wait_for(lambda: synth.controls["vibrato"] > 0)
    wait_for(lambda: vibrato.get_attribute("aria-valuenow") == "0.05")
    page.execute_script("document.querySelector('cm-wheel [aria-label=bend]').focus()")
    actions(page).key_down(Keys.ARROW_DOWN).perform()
    wait_for(lambda: synth.controls["bend"] < 0)
    actions(page).key_up(Keys.ARROW_DOWN).perform()
    wait_for(lambda: synth.controls["bend"] == 0)


def test_a_page_that_is_the_output_says_that_it_must_be_started(page: Any) -> None:
    assert element(page, "cm-listen").text == "press to listen"


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_keys_are_in_sight_wide_enough_and_texts_large_enough(width: int, height: int, page: Any) -> None:
    screen(page, width, height)
    key = '.key.white[data-pitch="48"]'
    wait_for(lambda: element(page, key).rect["width"] >= 36 or width > 600)
    box = page.execute_script(f"return document.querySelector('{key}').getBoundingClientRect().toJSON()")
    assert box["width"] >= 36
    assert box["top"] >= 0
    assert box["bottom"] <= max(height, 700)
    assert width > 900 or box["bottom"] <= height
    small = page.execute_script("""
        return [...document.querySelectorAll('.panel *')].filter((e) => e.checkVisibility() && e.tagName !== 'CANVAS'
          && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
          && parseFloat(getComputedStyle(e).fontSize) < 12).map((e) => e.className + ': ' + e.textContent.slice(0, 30))
    """)
    assert small == []
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_small_screen_shows_the_top_of_the_page_at_first(page: Any) -> None:
    screen(page, 390, 844)
    page.refresh()
    wait_for(lambda: page.find_elements("css selector", ".panel > header"))
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert page.execute_script("return scrollY") == 0


def test_parts_fold_away_on_a_small_screen(page: Any) -> None:
    screen(page, 390, 844)
    title = element(page, "section.map > h2 > *")
    wait_for(lambda: title.get_attribute("aria-expanded") == "true")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", title)
    title.click()
    assert not element(page, "cm-map").is_displayed()
    title.send_keys(" ")
    assert element(page, "cm-map").is_displayed()


@pytest.fixture
def unkept(page: Any) -> Any:
    """The page, which forgets afterwards how its parts were left."""
    yield page
    page.execute_script("localStorage.clear()")


def test_groups_are_remembered_as_they_were_left(unkept: Any) -> None:
    screen(unkept, 1280, 800)
    wait_for(lambda: is_open(unkept, "tone"))
    for name in ("tone", "delay"):
        element(unkept, f'details[data-fold="{name}"] > summary').click()
    unkept.refresh()
    wait_for(lambda: is_open(unkept, "delay"))
    assert not is_open(unkept, "tone")
    assert not is_open(unkept, "envelope")


def test_all_groups_of_controls_are_in_sight_at_first(unkept: Any) -> None:
    screen(unkept, 1280, 800)
    unkept.execute_script("localStorage.clear()")
    unkept.refresh()
    wait_for(lambda: unkept.find_elements("css selector", ".controls summary"))
    hidden = unkept.execute_script("""
        const bottom = document.querySelector('.controls').getBoundingClientRect().bottom;
        return [...document.querySelectorAll('.controls summary')]
          .filter((e) => e.getBoundingClientRect().bottom > bottom).map((e) => e.textContent.trim());
    """)
    assert hidden == []


def is_open(page: Any, name: str) -> bool:
    return bool(page.execute_script("return document.querySelector(`details[data-fold=${arguments[0]}]`)?.open", name))


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_what_is_needed_first_is_in_sight_and_nothing_is_cut_off(width: int, height: int, page: Any) -> None:
    screen(page, width, height)
    page.execute_script("scrollTo(0, 0)")
    needed = ('.sound input[aria-label="timbre"]', '.sound input[aria-label="preset"]', "cm-level",
              'cm-slider[control="velocity"] input')  # fmt: skip
    keyboard = page.execute_script("return document.querySelector('.panel .keys').getBoundingClientRect().top")
    shown = needed if min(width, height) >= 700 else needed[:-1]  # on a telephone the controls begin below the fold
    places = {each: element(page, each).rect["y"] for each in shown}
    assert {each: y for each, y in places.items() if not 0 <= y < keyboard} == {}
    cut = page.execute_script("""
        return [...document.querySelectorAll('cm-readout *, header :not(input), .controls summary, .sound summary')]
          .filter((e) => e.checkVisibility() && getComputedStyle(e).overflow !== 'visible')
          .filter((e) => e.scrollWidth > e.clientWidth + 1)
          .map((e) => e.outerHTML.slice(0, 120))
    """)
    assert cut == []
