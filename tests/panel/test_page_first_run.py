"""The first run and favourites on the page: hints that go away, an example, stars, and menus of files."""

from __future__ import annotations

from typing import Any

from fixtures.axe import violations
from fixtures.browser import element, wait_for
from fixtures.impulse_responses import write_clap
from fixtures.screens import screen

from cmaudio.synth import Synth


def shown(page: Any, selector: str) -> list[Any]:
    return [each for each in page.find_elements("css selector", selector) if each.is_displayed()]


def test_hints_go_away_for_good(page: Any, host: Any) -> None:
    screen(page, 1280, 800)
    host.handler.choices.read_hints(False)
    wait_for(lambda: shown(page, ".hints"))
    assert violations(page, ".hints") == []
    for number in ("1 of 3", "2 of 3", "3 of 3"):
        wait_for(lambda number=number: element(page, ".hints .note").text == number)  # type: ignore[misc]
        element(page, ".hints .primary").click()
    wait_for(lambda: host.handler.choices.hints_read and not shown(page, ".hints"))


def test_a_favourite_timbre_comes_first_in_the_list(page: Any, host: Any, synth: Synth) -> None:
    synth.controls.set_timbre("third")
    star = ".sound .star"
    wait_for(lambda: element(page, star).get_attribute("aria-label") == "favourite third")
    element(page, star).click()
    wait_for(lambda: element(page, star).get_attribute("aria-pressed") == "true")
    assert host.handler.choices.favourites()["timbre"] == ["third"]
    element(page, '.sound input[aria-label="timbre"]').click()
    wait_for(lambda: page.find_elements("css selector", ".q-menu .q-item"))
    assert element(page, ".q-menu .q-item").text == "★ third"
    element(page, ".q-menu .q-item").click()
    wait_for(lambda: not page.find_elements("css selector", ".q-menu .q-item"))
    element(page, star).click()
    wait_for(lambda: host.handler.choices.favourites()["timbre"] == [])


def test_a_take_is_marked_from_its_menu(page: Any, host: Any) -> None:
    write_clap(host.handler.takes.folder / "door.wav")
    more = 'button[aria-label="more for door.wav"]'
    wait_for(lambda: shown(page, more))
    element(page, more).click()
    wait_for(lambda: shown(page, ".q-menu .q-item"))
    shown(page, ".q-menu .q-item")[0].click()
    wait_for(lambda: host.handler.choices.favourites()["file"] == ["door.wav"])
    wait_for(lambda: shown(page, ".file .starred"))
