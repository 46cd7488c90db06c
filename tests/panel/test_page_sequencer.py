"""The sequencer on the page: steps by mouse and keys, transport, the arpeggiator, and two pages that agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.axe import violations
from fixtures.browser import actions, element, wait_for
from fixtures.panel import silence
from fixtures.screens import SCREENS, screen

from cmaudio.sequencer import AutomationLane, GridPattern, GridStep, PatternBank, SongPart, note_lane
from cmaudio.synth import Synth

CELL = 'cm-sequencer .cell[data-row="{row}"][data-index="{index}"]'
SONG = PatternBank(
    patterns=(
        GridPattern(
            name="A",
            lanes=(note_lane("bass", ["C2", None, None, "G2"], timbre="second"),),
            automation=(AutomationLane(control="brightness", values={0: 1.0}),),
        ),
        GridPattern(name="B"),
    )
)


@pytest.fixture
def open_page(page: Any, host: Any, synth: Synth) -> Iterator[Any]:
    """The page with the sequencer unfolded and one lane of notes."""
    screen(page, 1280, 800)
    silence(synth)
    synth.sequencer.bank = SONG
    synth.sequencer.select("A")
    fold = element(page, "cm-sequencer .fold")
    if fold.get_attribute("aria-expanded") == "false":
        press(page, "cm-sequencer .fold")
    wait_for(lambda: len(page.find_elements("css selector", "cm-sequencer .cell")) == 32)
    wait_for(
        lambda: page.find_elements("css selector", "cm-sequencer .cell[aria-label='bass step 4, G2, velocity 96']")
    )
    yield page
    synth.sequencer.stop()
    synth.arpeggiator.change(on=False, hold=False)
    silence(synth)


def press(page: Any, selector: str) -> None:
    """At once, since the grid is drawn anew with every change."""
    element(page, selector)
    page.execute_script(
        "const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'}); e.click()", selector
    )


def cell(row: int, index: int) -> str:
    return CELL.format(row=row, index=index)


def attribute(page: Any, selector: str, name: str) -> Any:
    """Read at once, since the grid is drawn anew with every change; None where there is no such element."""
    return page.execute_script(
        "return document.querySelector(arguments[0])?.getAttribute(arguments[1])", selector, name
    )


def steps(synth: Synth) -> dict[int, tuple[int, ...]]:
    return {index: step.pitches for index, step in synth.sequencer.pattern.lanes[0].steps.items()}


def choose(page: Any, selector: str, value: str) -> None:
    page.execute_script(
        "const field = document.querySelector(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('change', {bubbles: true}))",
        selector,
        value,
    )


def test_a_click_sets_and_clears_a_step(open_page: Any, synth: Synth) -> None:
    place = element(open_page, cell(0, 1))
    open_page.execute_script("arguments[0].scrollIntoView({block: 'center'})", place)
    place.click()
    wait_for(lambda: 1 in steps(synth))
    wait_for(lambda: attribute(open_page, cell(0, 1), "aria-pressed") == "true")
    press(open_page, cell(0, 1))
    wait_for(lambda: 1 not in steps(synth))


def test_steps_are_reached_and_changed_by_keys(open_page: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page.execute_script("arguments[0].focus()", element(open_page, cell(0, 0)))
    actions(open_page).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER).perform()
    wait_for(lambda: 2 in steps(synth))
    wait_for(lambda: "velocity 96" in (attribute(open_page, cell(0, 2), "aria-label") or ""))
    actions(open_page).send_keys("+").perform()
    wait_for(lambda: synth.sequencer.pattern.lanes[0].steps[2].velocity == 104)
    actions(open_page).send_keys(Keys.ARROW_DOWN).perform()
    wait_for(lambda: attribute(open_page, ":focus", "data-row") == "1")


def test_quick_presses_all_count(open_page: Any, synth: Synth) -> None:
    place = element(open_page, cell(0, 0))
    open_page.execute_script("arguments[0].focus()", place)
    actions(open_page).send_keys("+++").perform()
    wait_for(lambda: synth.sequencer.pattern.lanes[0].steps[0].velocity == 120)
    open_page.execute_script(
        "for (const at of arguments) document.querySelector(at).click()", cell(0, 1), cell(0, 1), cell(0, 2)
    )
    wait_for(lambda: 2 in steps(synth))
    assert 1 not in steps(synth)  # commands come in order


def test_patterns_are_chained_into_a_song(open_page: Any, synth: Synth) -> None:
    sequencer = synth.sequencer
    press(open_page, "cm-sequencer .add-part")
    wait_for(lambda: [part.pattern for part in sequencer.song.parts] == ["A"])
    press(open_page, 'cm-sequencer [data-name="B"]')
    wait_for(lambda: element(open_page, "cm-sequencer .add-part").text == "+ B")
    press(open_page, "cm-sequencer .add-part")
    wait_for(lambda: open_page.find_elements("css selector", 'cm-sequencer [aria-label="part 2: B, 1 round"]'))
    press(open_page, 'cm-sequencer .part[data-index="1"]')
    choose(open_page, "cm-sequencer .rounds", "3")
    press(open_page, "cm-sequencer .earlier")
    expected, chosen = (SongPart(pattern="B", rounds=3), SongPart(pattern="A")), "part 1: B, 3 rounds"
    wait_for(lambda: sequencer.song.parts == expected)
    wait_for(lambda: attribute(open_page, 'cm-sequencer .part[aria-pressed="true"]', "aria-label") == chosen)
    press(open_page, "cm-sequencer .loop")
    press(open_page, "cm-sequencer .play-song")
    wait_for(lambda: sequencer.song.loop and sequencer.plays_song)
    wait_for(lambda: attribute(open_page, "cm-sequencer .part.now", "data-index") == "0")
    press(open_page, "cm-sequencer .song-mid")
    wait_for(lambda: element(open_page, "cm-sequencer .exported").text.startswith("song-"))
    wait_for(lambda: element(open_page, "cm-sequencer .play-song").text == "stop song")
    press(open_page, "cm-sequencer .play-song")
    wait_for(lambda: not sequencer.playing)
    press(open_page, "cm-sequencer .drop-part")
    wait_for(lambda: sequencer.song.parts == expected[1:])


def test_the_chosen_step_is_edited(open_page: Any, synth: Synth) -> None:
    open_page.execute_script("arguments[0].focus()", element(open_page, cell(0, 3)))
    choose(open_page, 'cm-sequencer [data-field="pitches"]', "D3 F#3")
    wait_for(lambda: steps(synth)[3] == (50, 54))
    choose(open_page, 'cm-sequencer [data-field="ratchets"]', "3")
    choose(open_page, 'cm-sequencer [data-field="probability"]', "0.5")
    expected = GridStep(pitches=(50, 54), velocity=96, gate=0.9, probability=0.5, ratchets=3)
    wait_for(lambda: synth.sequencer.pattern.lanes[0].steps[3] == expected)


def test_it_plays_shows_the_step_and_stops(open_page: Any, synth: Synth) -> None:
    press(open_page, "cm-sequencer .play")
    wait_for(lambda: synth.sequencer.playing)
    wait_for(lambda: open_page.find_elements("css selector", "cm-sequencer .cell.now"))
    wait_for(lambda: element(open_page, "cm-sequencer .play").text == "stop")
    press(open_page, 'cm-sequencer [data-name="B"]')
    wait_for(lambda: synth.sequencer.pattern.name == "B")
    wait_for(lambda: element(open_page, "cm-sequencer .play").text == "stop")
    press(open_page, "cm-sequencer .play")
    wait_for(lambda: not synth.sequencer.playing)


def test_what_is_played_is_recorded(open_page: Any, synth: Synth) -> None:
    press(open_page, "cm-sequencer .fold")
    press(open_page, "cm-sequencer .record")
    assert element(open_page, "cm-sequencer .lanes").is_displayed()  # where what is played appears
    wait_for(lambda: synth.sequencer.recording is not None)
    open_page.execute_script("document.activeElement.blur()")
    actions(open_page).key_down("a").key_up("a").perform()
    wait_for(lambda: len(synth.sequencer.pattern.lanes) == 2)
    wait_for(lambda: attribute(open_page, "cm-sequencer .record", "aria-pressed") == "true")
    press(open_page, "cm-sequencer .record")
    wait_for(lambda: synth.sequencer.recording is None)


def test_lanes_are_added_muted_and_removed_and_undone(open_page: Any, synth: Synth) -> None:
    choose(open_page, "cm-sequencer .sound", "timbre:third")
    wait_for(lambda: [lane.name for lane in synth.sequencer.pattern.lanes] == ["bass", "third"])
    wait_for(lambda: open_page.find_elements("css selector", 'cm-sequencer .mute[aria-label="mute: third"]'))
    press(open_page, 'cm-sequencer .mute[aria-label="mute: third"]')
    wait_for(lambda: synth.sequencer.pattern.lane("third").muted)
    press(open_page, 'cm-sequencer .drop[aria-label="remove the lane: third"]')
    wait_for(lambda: len(synth.sequencer.pattern.lanes) == 1)
    wait_for(lambda: attribute(open_page, ".undo", "aria-label") == "undo lanes")
    press(open_page, ".undo")
    wait_for(lambda: len(synth.sequencer.pattern.lanes) == 2)


def test_settings_and_the_arpeggiator_are_set(open_page: Any, synth: Synth) -> None:
    from selenium.webdriver.common.keys import Keys

    choose(open_page, "cm-sequencer .length", "8")
    element(open_page, "cm-sequencer .swing").send_keys(Keys.ARROW_RIGHT * 5)
    wait_for(lambda: synth.sequencer.pattern.swing == pytest.approx(0.1))
    choose(open_page, "cm-sequencer .tempo", "93.5")
    choose(open_page, "cm-sequencer .control", "vibrato")
    wait_for(lambda: synth.sequencer.pattern.length == 8 and synth.clock.tempo == 93.5)
    wait_for(lambda: synth.sequencer.pattern.automated("vibrato") is not None)
    press(open_page, "cm-sequencer .arp-on")
    choose(open_page, "cm-sequencer .mode", "down")
    wait_for(lambda: synth.arpeggiator.settings.on and synth.arpeggiator.settings.mode == "down")
    open_page.execute_script("document.activeElement.blur()")
    actions(open_page).key_down("a").perform()
    wait_for(lambda: synth.arpeggiator.keys == [48])
    actions(open_page).key_up("a").perform()
    wait_for(lambda: synth.arpeggiator.keys == [])


def test_an_export_can_be_fetched(open_page: Any, host: Any) -> None:
    press(open_page, "cm-sequencer .py")
    wait_for(lambda: element(open_page, "cm-sequencer .exported").is_displayed())
    address = element(open_page, "cm-sequencer .exported").get_attribute("href")
    text = open_page.execute_async_script(
        "fetch(arguments[0]).then((r) => r.text()).then(arguments[arguments.length - 1])", address
    )
    assert "def groove(clock):" in text


def test_another_page_shows_the_same(open_page: Any, host: Any, synth: Synth) -> None:
    first = open_page.current_window_handle
    open_page.switch_to.new_window("tab")
    try:
        open_page.get(host.address.url)
        wait_for(lambda: open_page.find_elements("css selector", cell(0, 5)), 40)
        press(open_page, cell(0, 5))
        wait_for(lambda: 5 in steps(synth))
    finally:
        open_page.close()
        open_page.switch_to.window(first)
    wait_for(lambda: attribute(open_page, cell(0, 5), "aria-pressed") == "true")


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_nothing_is_cut_off_nor_violated(width: int, height: int, open_page: Any) -> None:
    screen(open_page, width, height)
    found = violations(open_page, "cm-sequencer")
    if found:
        pytest.fail("\n".join(found), pytrace=False)
    assert open_page.execute_script("return document.documentElement.scrollWidth") <= width
    if width <= 600:
        sizes = open_page.execute_script(
            "return [...document.querySelectorAll('cm-sequencer :is(button, select)')]"
            ".map((e) => e.getBoundingClientRect()).filter((b) => b.width).map((b) => [b.width, b.height])"
        )
        assert min(min(size) for size in sizes) >= 44
