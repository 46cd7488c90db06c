"""Undo and redo on the page: keys and buttons, drags as one step, and two pages that agree."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.browser import actions, element, wait_for
from fixtures.panel import silence

from cmaudio.synth import Synth

SLIDER = 'cm-slider[control="brightness"] input'


@pytest.fixture
def fresh(page: Any, host: Any, synth: Synth) -> Any:
    """The page, with nothing to undo."""
    silence(synth)
    host.handler.history.start()
    page.execute_script("document.activeElement.blur()")
    wait_for(lambda: not element(page, ".undo").is_enabled() and not element(page, ".redo").is_enabled())
    return page


def drag(page: Any, pixels: int) -> None:
    slider = element(page, SLIDER)
    actions(page).move_to_element(slider).click_and_hold().move_by_offset(pixels, 0).move_by_offset(
        pixels, 0
    ).release().perform()


def drag_to_the_end(page: Any, synth: Synth) -> float:
    """Drag, and return the value once the last move has reached the instrument."""
    drag(page, 25)
    reached = float(element(page, SLIDER).get_attribute("value"))
    assert reached > 2
    wait_for(lambda: synth.controls["brightness"] == pytest.approx(reached, abs=1e-4))
    return synth.controls["brightness"]


def test_a_drag_is_undone_by_ctrl_z_and_redone_by_ctrl_shift_z(fresh: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    dragged = drag_to_the_end(fresh, synth)
    wait_for(lambda: element(fresh, ".undo").get_attribute("aria-label") == "undo brightness")
    actions(fresh).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    wait_for(lambda: synth.controls["brightness"] == 0)
    wait_for(lambda: float(element(fresh, SLIDER).get_attribute("value")) == 0)
    wait_for(lambda: element(fresh, ".said").get_attribute("textContent") == "undone: brightness")
    actions(fresh).key_down(Keys.CONTROL).key_down(Keys.SHIFT).send_keys("z").key_up(Keys.SHIFT).key_up(
        Keys.CONTROL
    ).perform()
    wait_for(lambda: synth.controls["brightness"] == dragged)


def test_buttons_undo_and_redo_and_name_the_step(fresh: Any, synth: Synth) -> None:
    actions(fresh).move_to_element(element(fresh, "cm-map")).click_and_hold().move_by_offset(30, 30).release().perform()
    wait_for(lambda: element(fresh, ".undo").get_attribute("aria-label") == "undo timbre")
    place = fresh.execute_script("return document.querySelector('cm-map').at")
    wait_for(lambda: [synth.controls["timbre_x"], synth.controls["timbre_y"]] == pytest.approx(place, abs=1e-4))
    moved = synth.controls.timbre
    element(fresh, ".undo").click()
    wait_for(lambda: element(fresh, ".redo").get_attribute("aria-label") == "redo timbre")
    assert synth.controls.timbre != moved
    element(fresh, ".redo").click()
    wait_for(lambda: synth.controls.timbre == moved)


def test_a_text_field_keeps_its_own_undo(fresh: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    dragged = drag_to_the_end(fresh, synth)
    wait_for(lambda: element(fresh, ".undo").is_enabled())
    fresh.execute_script("document.querySelector('details[data-fold=seed]').open = true")
    field = element(fresh, '.sound input[aria-label="seed"]')
    field.click()
    actions(fresh).send_keys("12").key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    wait_for(lambda: field.get_attribute("value") != "12")
    actions(fresh).send_keys(Keys.BACK_SPACE * 2).perform()
    assert synth.controls["brightness"] == dragged


def test_another_page_undoes_what_this_one_did(fresh: Any, host: Any, synth: Synth) -> None:
    drag(fresh, 25)
    wait_for(lambda: element(fresh, ".undo").is_enabled())
    first = fresh.current_window_handle
    fresh.switch_to.new_window("tab")
    try:
        fresh.get(host.address.url)
        wait_for(lambda: fresh.find_elements("css selector", ".undo") and element(fresh, ".undo").is_enabled())
        element(fresh, ".undo").click()
        wait_for(lambda: synth.controls["brightness"] == 0)
    finally:
        fresh.close()
        fresh.switch_to.window(first)
    wait_for(lambda: float(element(fresh, SLIDER).get_attribute("value")) == 0)
    wait_for(lambda: not element(fresh, ".undo").is_enabled())
