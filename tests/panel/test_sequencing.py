"""The sequencer's commands of pages: what they change, what is refused, undo, state and session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.browser import wait_for
from fixtures.panel import Pages, keys_down

from cmaudio.panel.session import resume_slots, session_of
from cmaudio.panel.state_updates import StateUpdates
from cmaudio.sequencer import GridStep, PatternBank, Song, SongPart
from cmaudio.synth import Synth

STEP = {"pitches": [60], "velocity": 100, "gate": 0.5, "probability": 1, "ratchets": 2, "shift": 0}


@pytest.fixture
def fresh(pages: Pages, synth: Synth) -> Iterator[Pages]:
    """Pages of an empty sequencer."""
    synth.sequencer.bank = PatternBank()
    pages.handler.history.start()
    yield pages
    synth.sequencer.stop()
    synth.arpeggiator.change(on=False, hold=False)
    synth.sequencer.bank = PatternBank()


def add_lane(pages: Pages, **fields: Any) -> None:
    pages.send("add_lane", pattern="A", **fields)


def test_lanes_steps_and_settings_are_edited(fresh: Pages, synth: Synth) -> None:
    add_lane(fresh, timbre="second")
    add_lane(fresh, timbre="second")
    add_lane(fresh)
    fresh.send("step", pattern="A", lane="second", index=3, step=STEP)
    fresh.send("step", pattern="A", lane="second 2", index=0, step=STEP | {"pitches": ["C#4", "E4"]})
    fresh.send("step", pattern="A", lane="notes", index=0, step=STEP)
    fresh.send("step", pattern="A", lane="notes", index=0, step=None)
    fresh.send("lane", pattern="A", lane="second", action="mute")
    fresh.send("set_pattern", pattern="A", length=12, division=1 / 3, swing=0.3)
    fresh.send("automate", pattern="A", control="brightness", action="add")
    fresh.send("automation", pattern="A", control="brightness", index=2, value=3)
    fresh.send("automate", pattern="A", control="brightness", action="smooth")
    assert fresh.quiet
    pattern = synth.sequencer.pattern
    assert (pattern.length, pattern.division, pattern.swing) == (12, 1 / 3, 0.3)
    assert [(lane.name, lane.timbre, lane.muted, list(lane.steps)) for lane in pattern.lanes] == [
        ("second", "second", True, [3]), ("second 2", "second", False, [0]), ("notes", None, False, []),
    ]  # fmt: skip
    assert pattern.lane("second").steps[3].ratchets == 2
    assert pattern.lane("second 2").steps[0].pitches == (61, 64)
    assert [(lane.control, dict(lane.values), lane.smooth) for lane in pattern.automation] == [
        ("brightness", {2: 3.0}, True)
    ]
    fresh.send("automate", pattern="A", control="brightness", action="remove")
    fresh.send("lane", pattern="A", lane="second", action="remove")
    assert [lane.name for lane in synth.sequencer.pattern.lanes] == ["second 2", "notes"]
    assert synth.sequencer.pattern.automation == ()


def test_patterns_are_added_copied_selected_and_removed(fresh: Pages, synth: Synth) -> None:
    add_lane(fresh)
    fresh.send("pattern", action="copy", pattern="A")
    fresh.send("pattern", action="add", pattern="B")
    sequencer = synth.sequencer
    assert [(each.name, len(each.lanes)) for each in sequencer.bank.patterns] == [("A", 1), ("B", 1), ("C", 0)]
    assert sequencer.pattern.name == "C"
    fresh.send("pattern", action="select", pattern="B")
    fresh.send("pattern", action="clear", pattern="B")
    fresh.send("set_pattern", pattern="B", name="chorus")
    fresh.send("pattern", action="remove", pattern="C")
    assert [(each.name, len(each.lanes)) for each in sequencer.bank.patterns] == [("A", 1), ("chorus", 0)]
    assert sequencer.pattern.name == "chorus"
    assert fresh.quiet


def test_changes_of_one_step_are_all_kept(fresh: Pages, synth: Synth) -> None:
    add_lane(fresh)
    fresh.send("step", pattern="A", lane="notes", index=5, step=STEP)
    for change in ({"ratchets": 3}, {"probability": 0.5}, {"pitches": ["D3", 54]}, {"gate": 2}, {"shift": 0.25}):
        fresh.send("change_step", pattern="A", lane="notes", index=5, **change)
    assert fresh.quiet
    expected = GridStep(pitches=(50, 54), velocity=100, gate=2, probability=0.5, ratchets=3, shift=0.25)
    assert synth.sequencer.pattern.lane("notes").steps == {5: expected}


def test_louder_adds_to_the_present_velocity(fresh: Pages, synth: Synth) -> None:
    add_lane(fresh)
    fresh.send("step", pattern="A", lane="notes", index=0, step=STEP)
    velocities = []
    for louder in (8, 8, 120, -126, -8, 3):
        fresh.send("change_step", pattern="A", lane="notes", index=0, louder=louder)
        velocities.append(synth.sequencer.pattern.lane("notes").steps[0].velocity)
    assert velocities == [108, 116, 127, 1, 1, 4]


def test_a_song_is_arranged_played_and_undone(fresh: Pages, synth: Synth) -> None:
    add_lane(fresh)
    fresh.send("pattern", action="copy", pattern="A")
    for name in ("A", "B", "A"):
        fresh.send("add_part", pattern=name)
    fresh.send("part_rounds", index=1, pattern="B", rounds=4)
    fresh.send("part", action="earlier", index=2, pattern="A")
    fresh.send("part", action="remove", index=0, pattern="A")
    fresh.send("loop_song", on=True)
    expected = Song(parts=(SongPart(pattern="A"), SongPart(pattern="B", rounds=4)), loop=True)
    assert synth.sequencer.song == expected
    assert fresh.quiet
    fresh.send("part", action="remove", index=0, pattern="B")
    assert "part 1 of the song is 'A' by now" in fresh.refusal()
    updates = StateUpdates(fresh.handler)
    fresh.send("sequencer", action="play_song")
    state = updates.message()["sequencer"]
    updates.close()
    assert (state["plays_song"], state["playing"]) == (True, True)
    assert state["song"] == {
        "parts": [{"pattern": "A", "rounds": 1}, {"pattern": "B", "rounds": 4}], "loop": True
    }  # fmt: skip
    wait_for(lambda: (fresh.handler.sequencing.position or [None])[-1] == 0)
    fresh.send("sequencer", action="stop")
    fresh.send("undo")
    assert fresh.next()["text"] == "undone: song"
    assert not synth.sequencer.song.loop


@pytest.mark.parametrize("kind", ["mid", "py"])
def test_a_song_is_exported_to_the_folder(fresh: Pages, kind: str) -> None:
    fresh.send("export", format=kind, song=True)
    assert "the song has no parts" in fresh.refusal()
    fresh.send("add_part", pattern="A")
    fresh.send("export", format=kind, song=True)
    assert fresh.notice().startswith("exported as song-")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"index": 1, "gate": 1}, "step 2 of 'notes' is empty"),
        ({"index": 0, "ratchets": 9}, "ratchets"),
        ({"index": 0, "pitches": []}, "need pitches"),
        ({"index": 0, "pitches": ["H3"]}, "H3"),
    ],
)
def test_a_change_that_no_step_can_take_is_refused(
    fresh: Pages, synth: Synth, change: dict[str, Any], told: str
) -> None:
    add_lane(fresh)
    fresh.send("step", pattern="A", lane="notes", index=0, step=STEP)
    before = synth.sequencer.pattern
    fresh.send("change_step", pattern="A", lane="notes", **change)
    assert told in fresh.refusal()
    assert synth.sequencer.pattern == before


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ({"kind": "step", "pattern": "A", "lane": "none", "index": 0, "step": None}, "unknown lane 'none'"),
        ({"kind": "step", "pattern": "Z", "lane": "none", "index": 0, "step": None}, "unknown pattern 'Z'"),
        ({"kind": "step", "pattern": "A", "lane": "x", "index": 64, "step": None}, "index"),
        ({"kind": "step", "pattern": "A", "lane": "x", "index": 0, "step": {"velocity": 300}}, "velocity"),
        ({"kind": "change_step", "pattern": "A", "lane": "none", "index": 0, "gate": 1}, "unknown lane 'none'"),
        ({"kind": "change_step", "pattern": "A", "lane": "x", "index": 0, "loud": 1}, "loud"),
        ({"kind": "add_lane", "pattern": "A", "timbre": "fiddle"}, "unknown timbre"),
        ({"kind": "add_lane", "pattern": "A", "pad": "kick"}, "unknown pad"),
        ({"kind": "set_pattern", "pattern": "A", "length": 65}, "length"),
        ({"kind": "automate", "pattern": "A", "control": "warmth", "action": "add"}, "no control 'warmth'"),
        ({"kind": "automation", "pattern": "A", "control": "brightness", "index": 0, "value": 1}, "not automated"),
        ({"kind": "pattern", "action": "remove", "pattern": "A"}, "only one"),
        ({"kind": "tempo", "tempo": 1000}, "tempo"),
        ({"kind": "sequencer", "action": "play_song"}, "the song has no parts"),
        ({"kind": "add_part", "pattern": "Z"}, "unknown pattern 'Z'"),
        ({"kind": "part", "action": "remove", "index": 0, "pattern": "A"}, "no part 1"),
        ({"kind": "part_rounds", "index": 0, "pattern": "A", "rounds": 17}, "rounds"),
        ({"kind": "arpeggiator", "octaves": 9}, "octaves"),
        ({"kind": "sequencer", "action": "dance"}, "action"),
    ],
)
def test_what_is_invalid_is_refused_and_changes_nothing(
    fresh: Pages, synth: Synth, command: dict[str, Any], told: str
) -> None:
    fresh.send(**command)
    assert told in fresh.refusal()
    assert synth.sequencer.bank == PatternBank()


def test_edits_are_undone_and_redone(fresh: Pages, synth: Synth) -> None:
    add_lane(fresh)
    fresh.send("step", pattern="A", lane="notes", index=5, step=STEP)
    assert fresh.handler.follow_history()["undo"] == "steps of notes"
    fresh.send("undo")
    assert fresh.next()["text"] == "undone: steps of notes"
    assert synth.sequencer.pattern.lane("notes").steps == {}
    fresh.send("undo")
    assert synth.sequencer.pattern.lanes == ()
    fresh.send("redo")
    fresh.send("redo")
    assert list(synth.sequencer.pattern.lane("notes").steps) == [5]
    assert fresh.handler.follow_history()["redo"] is None


def test_slots_leave_patterns_alone(fresh: Pages, synth: Synth) -> None:
    fresh.send("store", slot="A")
    add_lane(fresh)
    fresh.send("recall", slot="A")
    assert len(synth.sequencer.pattern.lanes) == 1


def test_pages_are_told_what_changes(fresh: Pages, synth: Synth) -> None:
    updates = StateUpdates(fresh.handler)
    state = updates.message()["sequencer"]
    assert (state["patterns"], state["playing"], state["recording"]) == (["A"], False, False)
    assert "sequencer" not in updates.message()
    add_lane(fresh)
    fresh.send("tempo", tempo=97.5)
    fresh.send("sequencer", action="record", strength=0.5)
    fresh.send("arpeggiator", on=True, mode="down")
    state = updates.message()["sequencer"]
    assert [lane["name"] for lane in state["pattern"]["lanes"]] == ["notes"]
    assert (state["tempo"], state["playing"], state["recording"]) == (97.5, True, True)
    assert (state["arpeggiator"]["on"], state["arpeggiator"]["mode"]) == (True, "down")
    fresh.send("sequencer", action="stop_recording")
    fresh.send("sequencer", action="stop")
    assert (synth.sequencer.playing, synth.sequencer.recording) == (False, None)
    updates.close()


def test_keys_are_recorded_and_arpeggiated(fresh: Pages, synth: Synth) -> None:
    fresh.send("sequencer", action="record")
    fresh.send("press", pitch=60, velocity=90)
    fresh.send("lift", pitch=60)
    (lane,) = synth.sequencer.pattern.lanes
    assert [step.pitches for step in lane.steps.values()] == [(60,)]
    fresh.send("sequencer", action="stop")
    fresh.send("arpeggiator", on=True, hold=True)
    fresh.send("press", pitch=64, velocity=90)
    fresh.send("lift", pitch=64)
    assert synth.arpeggiator.keys == [64]
    assert not keys_down(synth)
    fresh.send("panic")
    assert synth.arpeggiator.keys == []


@pytest.mark.parametrize("kind", ["mid", "py", "json"])
def test_patterns_are_exported_to_the_folder(fresh: Pages, kind: str) -> None:
    add_lane(fresh, timbre="second")
    fresh.send("step", pattern="A", lane="second", index=0, step=STEP)
    fresh.send("export", format=kind)
    assert fresh.notice().startswith("exported as patter")
    (file,) = fresh.handler.takes.folder.glob(f"*.{kind}")
    assert file.stat().st_size > 60
    assert fresh.handler.sequencing.exported == file.name


def test_patterns_are_in_the_session(fresh: Pages, synth: Synth) -> None:
    add_lane(fresh)
    fresh.send("pattern", action="copy", pattern="A")
    fresh.send("add_part", pattern="B")
    fresh.send("arpeggiator", rate=1.0)
    session = session_of(fresh.handler)
    synth.sequencer.bank = PatternBank()
    fresh.send("arpeggiator", rate=0.25)
    resume_slots(fresh.handler, session)
    assert synth.sequencer.bank.names == ["A", "B"]
    assert synth.sequencer.pattern.name == "B"
    assert synth.sequencer.song == Song(parts=(SongPart(pattern="B"),))
    assert synth.arpeggiator.settings.rate == 1
    assert fresh.handler.follow_history() == {"undo": None, "redo": None}
