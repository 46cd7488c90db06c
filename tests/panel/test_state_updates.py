"""Messages to pages: the whole state first, then changes and who made them, merged for slow pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.browser import wait_for
from fixtures.link import FakeSession, session
from fixtures.panel import Pages, keys_down

from cmaudio.panel.state_updates import StateUpdates
from cmaudio.panel.web.hub import Follower
from cmaudio.synth import Synth

__all__ = ["session"]

METERS = {
    "level_db",
    "sides_db",
    "correlation",
    "reduction_db",
    "voices",
    "seconds",
    "load",
    "lead_ms",
    "underruns",
    "stolen",
    "columns",
    "lufs",
    "hz",
    "scope",
}


@pytest.fixture
def updates(pages: Pages) -> Iterator[StateUpdates]:
    found = StateUpdates(pages.handler)
    yield found
    found.close()


def test_the_first_message_holds_the_whole_state(updates: StateUpdates, synth: Synth) -> None:
    message = updates.message()
    assert set(message["controls"]) == set(synth.controls.definitions)
    assert {name: value for name, (value, _) in message["controls"].items()} == pytest.approx(synth.controls.values())
    assert {"timbre", "seed", "seed_locked", "preset", "keys", "device", "files", "variations"} <= set(message)
    json.dumps(message)


def test_the_session_of_link_is_shown(updates: StateUpdates, pages: Pages, synth: Synth, session: FakeSession) -> None:
    assert updates.message()["link"] is None
    session.tempo, session.peers = 97.3, 2
    pages.send("link")
    pages.send("link")
    wait_for(lambda: synth.link is not None and synth.link.peers == 2)
    assert updates.message()["link"] == {"peers": 2, "tempo": 97.3}
    assert "link" not in updates.message()
    pages.send("unlink")
    assert session.closed
    assert updates.message()["link"] is None
    assert pages.quiet


def test_later_messages_hold_what_has_changed_and_who_changed_it(
    updates: StateUpdates, pages: Pages, synth: Synth
) -> None:
    updates.message()
    assert set(updates.message()) == {"kind"} | METERS
    pages.send("set", "one", name="vibrato", value=0.25)
    synth.controls.set("brightness", -3.0)
    changed = updates.message()
    assert changed["controls"] == {"vibrato": [0.25, "one"], "brightness": [-3.0, ""]}
    assert changed["history"] == {"undo": "vibrato", "redo": None}
    assert set(changed) == {"kind", "controls", "history"} | METERS


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ({"kind": "seed", "seed": 2**62}, {"seed": str(2**62)}),
        ({"kind": "seed", "seed": None}, {"seed": None}),
        ({"kind": "lock", "locked": True}, {"seed_locked": True}),
        ({"kind": "lock", "locked": False}, {"seed_locked": False}),
        ({"kind": "timbre", "name": "third"}, {"timbre": {"third": 1.0}}),
        ({"kind": "store", "slot": "B"}, {"slots": {"filled": ["B"], "active": "B"}}),
    ],
    ids=lambda value: json.dumps(value),
)
def test_every_change_by_a_command_is_reported(
    updates: StateUpdates, pages: Pages, command: dict[str, Any], expected: dict[str, Any]
) -> None:
    updates.message()
    pages.send(**command)
    assert expected.items() <= updates.message().items()


def test_keys_that_are_pressed_elsewhere_are_reported(updates: StateUpdates, synth: Synth) -> None:
    updates.message()
    synth.press(61)
    wait_for(lambda: keys_down(synth) == {61})
    assert updates.message()["keys"] == [61]


def test_a_closed_follower_of_the_controls_receives_no_changes(pages: Pages, synth: Synth) -> None:
    updates = StateUpdates(pages.handler)
    updates.message()
    updates.close()
    synth.controls.set("vibrato", 0.125)
    assert "controls" not in updates.message()


def test_changes_are_merged_for_a_page_that_is_slow() -> None:
    follower = Follower("me")
    for number in range(100):
        follower.add({"controls": {"gain": [number, ""], f"c{number % 2}": [number, ""]}, "columns": str(number)})
        follower.refuse({"kind": "refused", "text": str(number)})
    *refusals, state = asyncio.run(follower.take())
    assert [refusal["text"] for refusal in refusals] == [str(number) for number in range(92, 100)]
    assert state["controls"] == {"gain": [99, ""], "c0": [98, ""], "c1": [99, ""]}
    assert state["columns"] == [str(number) for number in range(60, 100)]
