"""Drums of an instrument on pads, in place of its keyboard: by mouse and the computer's keys, and into a pattern."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.browser import actions, element, wait_for

from cmaudio.panel.clock_output import ClockOutput
from cmaudio.sequencer import PatternBank
from cmaudio.synth import Synth, open


@pytest.fixture(scope="module")
def synth(clock: ClockOutput) -> Iterator[Synth]:
    """The instrument, playing without a sound card."""
    with open("instrument", open_stream=clock, lead_ms=100, polyphony=4) as playing:
        yield playing


def down(synth: Synth, channel: int) -> set[int]:
    return set(synth.engine.allocator.channels[channel].keys)


def test_pads_take_the_place_of_the_keyboard_and_back(quiet: Any, synth: Synth) -> None:
    keys, pads = element(quiet, "cm-keys"), element(quiet, "cm-pads")
    assert (keys.is_displayed(), pads.is_displayed()) == (True, False)
    element(quiet, ".drums").click()
    wait_for(lambda: pads.is_displayed() and not keys.is_displayed())
    actions(quiet).key_down("1").perform()
    wait_for(lambda: len(down(synth, 9)) == 1)
    assert not down(synth, 0)
    actions(quiet).key_up("1").perform()
    wait_for(lambda: not down(synth, 9))
    element(quiet, ".drums").click()
    wait_for(lambda: keys.is_displayed() and not pads.is_displayed())
    actions(quiet).key_down("a").perform()
    wait_for(lambda: down(synth, 0) == {48})
    actions(quiet).key_up("a").perform()
    assert not down(synth, 9)


def test_a_click_sounds_while_the_sequencer_plays(quiet: Any, synth: Synth) -> None:
    def clicks() -> int:
        voices = [note.voice for note in tuple(synth.engine.allocator.notes.values())]
        sounding = [synth.model.nearest_timbre(each.timbre.target).name for each in voices if each is not None]
        return sounding.count("side stick")

    synth.sequencer.bank = PatternBank()
    element(quiet, "cm-sequencer .click").click()
    wait_for(lambda: element(quiet, "cm-sequencer .click").get_attribute("aria-pressed") == "true")
    assert not clicks()
    element(quiet, "cm-sequencer .play").click()
    wait_for(clicks)
    assert not synth.sequencer.pattern.lanes
    element(quiet, "cm-sequencer .click").click()
    wait_for(lambda: element(quiet, "cm-sequencer .click").get_attribute("aria-pressed") == "false")
    wait_for(lambda: not clicks())
    element(quiet, "cm-sequencer .play").click()
    wait_for(lambda: not synth.sequencer.playing)


def test_drums_are_recorded_into_a_pattern(quiet: Any, synth: Synth) -> None:
    synth.sequencer.bank = PatternBank()
    element(quiet, ".drums").click()
    element(quiet, "cm-sequencer .record").click()
    wait_for(lambda: synth.sequencer.recording is not None)
    pad = element(quiet, "cm-pads .pad[data-key]")
    drum = quiet.execute_script("return arguments[0].firstChild.textContent", pad)
    actions(quiet).move_to_element(pad).click_and_hold().perform()
    wait_for(lambda: down(synth, 9))
    actions(quiet).release().perform()
    wait_for(lambda: [lane.pad for lane in synth.sequencer.pattern.lanes] == [drum])
    synth.sequencer.stop()
    element(quiet, ".drums").click()
