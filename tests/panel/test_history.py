"""Undo and redo: what is a step, what belongs together, and what others have changed meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.browser import wait_for
from fixtures.impulse_responses import write_clap
from fixtures.panel import Pages

from cmaudio.panel.history import MAX_STEPS, History
from cmaudio.panel.snapshot import Snapshot
from cmaudio.synth import Synth

Command = dict[str, Any]
RECALL: Command = {"kind": "recall", "slot": "A"}


def now(synth: Synth) -> Snapshot:
    return Snapshot.of(synth.controls, synth.impulse_response)


def set_to(name: str, value: float, gesture: str = "") -> Command:
    return {"kind": "set", "name": name, "value": value, "gesture": gesture}


@pytest.mark.parametrize(
    ("commands", "label"),
    [
        ([set_to("brightness", 2.0)], "brightness"),
        ([set_to("bend_range", 7.0)], "bend range"),
        ([{"kind": "place", "x": 0.5, "y": -0.25}], "timbre"),
        ([{"kind": "timbre", "name": "second"}], "timbre"),
        ([{"kind": "seed", "seed": 11}], "seed"),
        ([{"kind": "roll"}], "seed"),
        ([set_to("gain", -6.0), {"kind": "store", "slot": "A"}, set_to("gain", 0.0), RECALL], "slot A"),
        ([set_to("vibrato", 0.5), {"kind": "reset"}], "reset"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_change_of_the_sound_is_undone_and_redone(
    pages: Pages, synth: Synth, commands: list[Command], label: str
) -> None:
    for command in commands[:-1]:
        pages.send(**command)
    before = now(synth)
    pages.send(**commands[-1])
    after = now(synth)
    assert before != after
    assert pages.handler.follow_history() == {"undo": label, "redo": None}
    pages.send("undo")
    assert pages.next() == {"kind": "done", "client": "me", "text": f"undone: {label}"}
    assert now(synth) == before
    assert pages.handler.follow_history()["redo"] == label
    pages.send("redo")
    assert pages.next()["text"] == f"redone: {label}"
    assert now(synth) == after


def test_an_impulse_response_is_undone(pages: Pages, synth: Synth) -> None:
    write_clap(pages.handler.takes.folder / "hall.wav")
    pages.send("space", file="hall.wav")
    wait_for(lambda: pages.handler.follow_history()["undo"] == "impulse response")
    assert synth.impulse_response is not None
    pages.send("undo")
    assert pages.next()["text"] == "undone: impulse response"
    assert synth.impulse_response is None


@pytest.mark.parametrize(
    ("commands", "steps"),
    [
        ([set_to("brightness", v, "drag 1") for v in (1.0, 2.0, 3.0)], 1),
        ([set_to("brightness", 1.0, "drag 1"), set_to("brightness", 2.0, "drag 2")], 2),
        ([set_to("brightness", 1.0), set_to("brightness", 2.0)], 2),
        ([{"kind": "seed", "seed": 3, "gesture": "use"}, {"kind": "place", "x": 0.5, "y": 0.5, "gesture": "use"}], 1),
        ([set_to("brightness", 1.0, "drag 1"), set_to("brightness", 0.0, "drag 1")], 0),
        ([{"kind": "press", "pitch": 60, "velocity": 90}, {"kind": "lift", "pitch": 60}, set_to("bend", 1.0)], 0),
        ([{"kind": "lock", "locked": True}, {"kind": "store", "slot": "A"}, {"kind": "lock", "locked": False}], 0),
    ],
    ids=["drag", "two drags", "no gesture", "use a variation", "there and back", "playing", "no sound"],
)  # fmt: skip
def test_changes_of_one_gesture_are_one_step(pages: Pages, synth: Synth, commands: list[Command], steps: int) -> None:
    before = now(synth)
    for command in commands:
        pages.send(**command)
    for _ in range(steps):
        assert pages.handler.follow_history()["undo"] is not None
        pages.send("undo")
        assert pages.next()["kind"] == "done"
    assert pages.handler.follow_history()["undo"] is None
    synth.controls.set("bend", 0)
    assert now(synth) == before


def test_drags_of_two_pages_at_once_are_steps_of_their_own(pages: Pages, synth: Synth) -> None:
    for value in (1.0, 2.0):
        pages.send("set", "one", name="brightness", value=value, gesture="1")
        pages.send("set", "other", name="gain", value=-value, gesture="1")
    pages.send("undo", "one")
    assert (synth.controls["brightness"], synth.controls["gain"]) == (2.0, -1.0)


@pytest.mark.parametrize("kind", ["undo", "redo"])
def test_nothing_to_undo_is_said(pages: Pages, kind: str) -> None:
    pages.send(kind)
    assert pages.refusal() == f"there is nothing to {kind}"


def test_a_change_ends_what_can_be_redone(pages: Pages, synth: Synth) -> None:
    pages.send(**set_to("brightness", 1.0))
    pages.send("undo")
    pages.send(**set_to("gain", -3.0))
    assert pages.handler.follow_history() == {"undo": "gain", "redo": None}


def test_undoing_leaves_alone_what_others_have_changed_since(pages: Pages, synth: Synth) -> None:
    pages.send(**set_to("brightness", 1.0))
    synth.controls.set("vibrato", 0.5, "clock")
    pages.send("undo")
    assert (synth.controls["brightness"], synth.controls["vibrato"]) == (0.0, 0.5)


def test_what_a_midi_controller_has_changed_is_undone_first(pages: Pages, synth: Synth) -> None:
    pages.send(**set_to("brightness", 1.0))
    for value in (0.25, 0.5, 0.75):
        synth.controls.set("vibrato", value, "midi")
    for undone, left in (("vibrato", (1.0, 0.0)), ("brightness", (0.0, 0.0))):
        pages.send("undo")
        assert pages.next()["text"] == f"undone: {undone}"
        assert (synth.controls["brightness"], synth.controls["vibrato"]) == left


def test_changes_from_elsewhere_become_a_step_once_they_rest(synth: Synth) -> None:
    seconds = [0.0]
    history = History(synth, lambda: None, lambda name: None, lambda: seconds[0])
    for value in (0.25, 0.5, 0.75):
        seconds[0] += 0.9
        synth.controls.set("vibrato", value, "midi")
        history.settle(wait=True)
        assert history.labels["undo"] is None
    seconds[0] += 1.1
    history.settle(wait=True)
    assert history.labels["undo"] == "vibrato"
    history.undo()
    assert synth.controls["vibrato"] == 0
    history.close()


def test_the_oldest_steps_are_forgotten(pages: Pages, synth: Synth) -> None:
    for number in range(MAX_STEPS + 5):
        pages.send(**set_to("gain", -number / 100))
    for _ in range(MAX_STEPS):
        pages.send("undo")
        assert pages.next()["kind"] == "done"
    pages.send("undo")
    assert "nothing" in pages.refusal()
    assert synth.controls["gain"] == pytest.approx(-0.04)


def test_the_shown_preset_follows(pages: Pages, synth: Synth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.instrument.preset_files.presets_folder", lambda: tmp_path)
    for name, brightness in (("Dark", -3.0), ("Bright", 3.0)):
        pages.send(**set_to("brightness", brightness))
        pages.send("save_preset", name=name)
        assert pages.notice()
    pages.send("preset", name="Dark")
    assert pages.handler.presets.current == "Dark"
    pages.send("undo")
    assert pages.next()["text"] == "undone: preset Dark"
    assert (pages.handler.presets.current, synth.controls["brightness"]) == ("Bright", 3.0)
    pages.send("redo")
    assert pages.handler.presets.current == "Dark"


def test_a_gesture_has_a_limit(pages: Pages) -> None:
    pages.send(**set_to("gain", -1.0, "g" * 41))
    assert "gesture" in pages.refusal()
    json.dumps(pages.handler.follow_history())
