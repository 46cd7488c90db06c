"""Variations: places around the current one, the phrase they play, and their renderer."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.browser import wait_for
from fixtures.panel import Pages

from cmaudio.panel.variations.job import around
from cmaudio.panel.variations.phrase import PhraseNote, played_notes
from cmaudio.score.events import Event, NoteOff, NoteOn


def test_places_are_spread_evenly_around_the_centre() -> None:
    places = np.array(around((0.5, 0.0), 0.2, 16))
    assert tuple(places[0]) == (0.5, 0.0)
    distance = np.hypot(*(places - (0.5, 0.0)).T)
    assert distance.max() == pytest.approx(0.2)
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + 10 * np.eye(16)
    assert apart.min() > 0.04


def test_places_stay_on_the_map() -> None:
    assert np.abs(around((1.0, 1.0), 1.0, 9)).max() <= 1


def test_what_was_played_becomes_a_phrase() -> None:
    played: list[tuple[float, Event]] = [
        (1.0, NoteOn(0, 60, 90, 0)),
        (1.5, NoteOn(0, 64, 80, 0)),
        (2.0, NoteOff(0, 60)),
        (2.1, NoteOff(0, 50)),
    ]
    assert played_notes(played, 3.0) == [PhraseNote(0.0, 60, 90, 1.0), PhraseNote(0.5, 64, 80, 1.5)]
    assert played_notes([], 3.0) == []


def test_what_was_played_cannot_be_varied_before_anything_was(pages: Pages) -> None:
    pages.send("vary", what="seeds", count=2, phrase="played")
    assert "play something first" in pages.refusal()


def test_cancelled_variations_leave_no_incomplete_file(pages: Pages) -> None:
    variations = pages.handler.variations
    pages.send("vary", what="places", count=64, phrase="note", seconds=20.0)
    wait_for(lambda: variations.status["part"] > 0)
    pages.send("vary", what="seeds", count=2)
    assert "cancel" in pages.refusal()
    pages.send("cancel")
    wait_for(lambda: not variations.status["running"])
    assert variations.status["done"] < 64
    folder = pages.handler.takes.folder
    assert not [*folder.glob("*.part"), *folder.glob(".*.part")]
    assert variations.status["error"] == ""
