"""Auditions sound softly, end when they are left, and leave what is chosen alone."""

from __future__ import annotations

import pytest
from fixtures.browser import wait_for
from fixtures.panel import Pages

from cmaudio.instrument.preset import make_preset
from cmaudio.instrument.preset_files import save_preset
from cmaudio.synth import Synth


def heard(synth: Synth) -> list[float]:
    """The levels of the notes that are auditioned."""
    notes = [note for note in tuple(synth.engine.allocator.notes.values()) if note.channel == 15]
    return [float(note.voice.expression["level"].target) for note in notes if note.voice and not note.voice.released]


def test_a_timbre_is_heard_softly_and_nothing_is_chosen(pages: Pages, synth: Synth) -> None:
    before, steps = synth.controls.timbre, pages.handler.history.labels
    pages.send("audition", what="timbre", name="third")
    wait_for(lambda: heard(synth) == [-9.0])
    assert synth.controls.timbre == before
    assert pages.handler.history.labels == steps
    wait_for(lambda: not heard(synth))  # it ends by itself


def test_another_takes_its_place_and_leaving_ends_it(pages: Pages, synth: Synth) -> None:
    for name in ("second", "third"):
        pages.send("audition", what="timbre", name=name)
    wait_for(lambda: len(heard(synth)) == 1)
    pages.send("audition", name=None)
    wait_for(lambda: not heard(synth))
    pages.send("audition", what="timbre", name="first")
    pages.handler.disconnect("me")
    wait_for(lambda: not heard(synth))


def test_a_preset_is_heard_as_it_is_shaped(pages: Pages, synth: Synth) -> None:
    preset = make_preset(
        name="Dull", model=synth.model.manifest.name, timbre={"second": 1}, controls={"brightness": -4}, tags=["pad"]
    )
    save_preset(preset)
    pages.send("audition", what="preset", name="Dull")
    wait_for(lambda: heard(synth) == [-9.0])
    note = next(note for note in synth.engine.allocator.notes.values() if note.channel == 15)
    wait_for(lambda: note.voice is None or note.voice.expression["brightness"].target == -4)
    assert note.voice is not None
    assert synth.controls["brightness"] == 0


@pytest.mark.parametrize("what", ["timbre", "preset"])
def test_an_unknown_sound_is_refused(pages: Pages, what: str) -> None:
    pages.send("audition", what=what, name="nothing like it")
    assert f"unknown {what}" in pages.refusal()
