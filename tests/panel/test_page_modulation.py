"""Modulators and curves in the page: by mouse and keyboard, from the page and from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.browser import actions, element, wait_for
from fixtures.panel import silence

from cmaudio.synth import Synth


@pytest.fixture
def quiet(page: Any, synth: Synth) -> Iterator[Any]:
    silence(synth)
    page.execute_script("document.querySelectorAll('details.group').forEach((group) => (group.open = true))")
    yield page
    page.execute_script("document.querySelector('cm-modulators').choose(null)")
    synth.controls.reset()
    silence(synth)


def amounts(synth: Synth) -> dict[tuple[str, str], float]:
    return {route.key: route.amount for route in synth.controls.routes}


def choose(page: Any, modulator: str) -> None:
    actions(page).move_to_element(element(page, f'cm-modulators [data-modulator="{modulator}"]')).click().perform()


def test_an_amount_is_dragged_shown_typed_and_ended(quiet: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    choose(quiet, "lfo1")
    assert element(quiet, '.settings[data-modulator="lfo1"]').is_displayed()
    amount = element(quiet, 'cm-slider[control="brightness"] .amount input')
    assert amount.get_attribute("aria-label") == "brightness, amount of LFO 1"
    actions(quiet).move_to_element(amount).click_and_hold().move_by_offset(20, 0).release().perform()
    wait_for(lambda: amounts(synth).get(("lfo1", "brightness"), 0) > 1)
    slider = element(quiet, 'cm-slider[control="brightness"]')
    wait_for(lambda: "moves" in slider.get_attribute("class").split())
    places: set[str | None] = set()

    def has_moved() -> bool:
        places.add(element(quiet, 'cm-slider[control="brightness"] .swing').get_attribute("data-now"))
        return len(places) > 3

    wait_for(has_moved)
    before = amounts(synth)["lfo1", "brightness"]
    amount.send_keys(Keys.ARROW_RIGHT)
    wait_for(lambda: amounts(synth)["lfo1", "brightness"] > before)
    amount.send_keys(Keys.DELETE)
    wait_for(lambda: not amounts(synth))
    wait_for(lambda: "moves" not in slider.get_attribute("class").split())


def test_a_modulator_shows_only_what_it_can_move(quiet: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    synth.controls.route("velocity", "brightness", 2)
    choose(quiet, "velocity")
    wait_for(lambda: element(quiet, 'cm-slider[control="brightness"] .amount output').text == "+2.00")
    assert not quiet.find_elements("css selector", 'cm-slider[control="velocity"] .amount')
    actions(quiet).send_keys(Keys.ESCAPE).perform()
    wait_for(lambda: not element(quiet, 'cm-slider[control="brightness"] .amount').is_displayed())


def test_routes_are_undone_and_come_back_with_a_slot(quiet: Any, synth: Synth, host: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    choose(quiet, "wheel")
    element(quiet, 'cm-slider[control="vibrato"] .amount input').send_keys(Keys.ARROW_LEFT)
    wait_for(lambda: ("wheel", "vibrato") in amounts(synth))
    wait_for(lambda: element(quiet, "button.undo").get_attribute("aria-label") == "undo wheel to vibrato")
    element(quiet, ".store").click()
    element(quiet, "button.undo").click()
    wait_for(lambda: not amounts(synth))
    element(quiet, ".slot").click()
    wait_for(lambda: ("wheel", "vibrato") in amounts(synth))


def test_handles_of_a_curve_are_dragged_typed_and_follow(quiet: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    handle = element(quiet, 'cm-curve[kind="tone"] [aria-label="brightness"]')
    quiet.execute_script("arguments[0].scrollIntoView({block: 'center'})", handle)
    actions(quiet).move_to_element(handle).click_and_hold().move_by_offset(0, -25).release().perform()
    wait_for(lambda: synth.controls["brightness"] > 1)
    handle.send_keys(Keys.HOME)
    wait_for(lambda: synth.controls["brightness"] == -6)
    handle.send_keys(Keys.ARROW_UP)
    wait_for(lambda: synth.controls["brightness"] == pytest.approx(-5.76))
    synth.controls.set("brightness", 3)
    wait_for(lambda: handle.get_attribute("aria-valuetext") == "3.00 dB per octave")


@pytest.mark.parametrize(
    ("group", "curve", "control"),
    [
        ("Delay", "delay", "delay_beats"),
        ("Delay", "delay", "delay_feedback"),
        ("Reverb", "reverb", "reverb_predelay"),
        ("Reverb", "reverb", "reverb_decay"),
        ("Reverb", "reverb", "reverb_damping"),
    ],
)
def test_effects_are_drawn_and_dragged(quiet: Any, synth: Synth, group: str, curve: str, control: str) -> None:
    from selenium.webdriver.common.keys import Keys

    handle = element(quiet, f'cm-curve[kind="{curve}"] [aria-label="{control.replace("_", " ")}"]')
    quiet.execute_script("arguments[0].scrollIntoView({block: 'center'})", handle)
    before = synth.controls[control]
    handle.send_keys(Keys.ARROW_UP)
    wait_for(lambda: synth.controls[control] > before)
    here = synth.controls[control]
    actions(quiet).move_to_element(handle).click_and_hold().move_by_offset(-12, 12).release().perform()
    wait_for(lambda: abs(synth.controls[control] - here) > 1e-6)  # more damping draws the curve lower


@pytest.mark.parametrize(
    ("value", "unit", "span", "shown"),
    [
        (-1, "octaves of time", 8, "× 0.50 the recorded time"),
        (4, "octaves of time", 8, "× 16 the recorded time"),
        (0.25, "of full", 1, "0.25"),
        (1500.4, "ms", 2000, "1500 ms"),
    ],
)
def test_values_are_written_as_a_musician_reads_them(
    quiet: Any, value: float, unit: str, span: float, shown: str
) -> None:
    script = "const done = arguments[3]; import('/panel/written.js').then(({ spoken }) => done(spoken(...arguments)))"
    assert quiet.execute_async_script(script, value, unit, span) == shown


def test_the_envelope_of_the_modulation_is_drawn(quiet: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    choose(quiet, "envelope")
    element(quiet, 'cm-curve[kind="modulation"] [aria-label="mod sustain"]').send_keys(Keys.END)
    wait_for(lambda: synth.controls["mod_sustain"] == 1)
