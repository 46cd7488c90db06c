"""The session: it is there again after a restart, and a damaged one is set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import TinyModel
from fixtures.browser import wait_for
from fixtures.impulse_responses import write_clap
from fixtures.panel import Pages

from cmaudio.errors import CmaudioError
from cmaudio.files import folders
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.session import (
    SessionKeeper,
    load_session,
    resume_slots,
    resume_sound,
    save_session,
    session_file,
    session_of,
)
from cmaudio.panel.snapshot import Snapshot
from cmaudio.synth import Synth, open


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the session of the model is kept."""
    monkeypatch.setattr(folders, "state_folder", lambda: tmp_path / "state")
    return session_file("tiny")


@pytest.fixture
def restarted(tiny: TinyModel, clock: ClockOutput, tmp_path: Path) -> Iterator[Pages]:
    """The panel of another instrument of the same model."""
    with open(tiny.model, open_stream=ClockOutput(), lead_ms=60, polyphony=8) as synth:
        pages = Pages(synth, tmp_path / "takes", clock)
        yield pages
        pages.handler.close()


def test_sound_and_slots_are_there_again_after_a_restart(
    pages: Pages, synth: Synth, restarted: Pages, file: Path, tmp_path: Path
) -> None:
    write_clap(pages.handler.takes.folder / "hall.wav")
    pages.send("set", name="brightness", value=2.0)
    pages.send("store", slot="A")
    pages.send("place", x=0.3, y=-0.2)
    pages.send("seed", seed=2**62)
    pages.send("lock", locked=True)
    pages.send("set", name="bend", value=1.0)
    synth.use_impulse_response(pages.handler.takes.folder / "hall.wav")
    save_session(file, session_of(pages.handler))
    session, again = load_session(file), restarted.handler
    assert session is not None
    resume_sound(again.synth, session)
    resume_slots(again, session)
    there, here = (Snapshot.of(each.controls, each.impulse_response) for each in (again.synth, synth))
    assert there.values == here.values | {"bend": 0.0}
    assert (there.timbre, there.place, there.seed, there.space) == (here.timbre, here.place, here.seed, here.space)
    assert (again.slots.filled, again.slots.active) == (["A"], "A")
    assert again.slots.held == pages.handler.slots.held
    assert again.synth.controls.seed_locked
    assert again.follow_history() == {"undo": None, "redo": None}
    synth.use_impulse_response(None)
    synth.controls.lock_seed(False)
    synth.controls.set_seed(None)


def test_a_change_is_written_and_the_last_one_when_the_panel_ends(pages: Pages, file: Path) -> None:
    keeper = SessionKeeper(pages.handler, file, pytest.fail)
    pages.send("set", name="brightness", value=1.5)
    wait_for(lambda: file.exists() and json.loads(file.read_text())["sound"]["values"]["brightness"] == 1.5)
    pages.send("set", name="brightness", value=2.5)
    keeper.close()
    assert json.loads(file.read_text())["sound"]["values"]["brightness"] == 2.5
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_a_session_that_cannot_be_written_is_told(pages: Pages, file: Path) -> None:
    told: list[str] = []
    file.parent.write_text("no folder")
    SessionKeeper(pages.handler, file, told.append).close()
    assert "cannot be written" in told[0]


GOOD = {"version": 1, "sound": {"values": {}, "timbre": {"second": 1.0}, "place": [0, 0]}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "JSON"),
        ('{"version": 1', "JSON"),
        (json.dumps(GOOD | {"version": 2}), "version"),
        (json.dumps(GOOD | {"more": 1}), "more"),
        (json.dumps(GOOD | {"slots": {"C": GOOD["sound"]}}), "slots"),
        (json.dumps(GOOD | {"sound": {"values": {"gain": "loud"}, "timbre": {"second": 1}, "place": [0, 0]}}), "gain"),
        (json.dumps(GOOD | {"sound": {"values": {}, "timbre": {"second": 1}, "place": [0, 7]}}), "place"),
        ("NaN" + " " * 2**23, "larger"),
    ],
)  # fmt: skip
def test_a_damaged_session_is_set_aside_and_told(file: Path, text: str, reason: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(CmaudioError, match=reason) as error:
        load_session(file)
    assert "set aside as" in str(error.value)
    assert not file.exists()
    assert file.with_suffix(".damaged.json").read_text() == text
    assert load_session(file) is None


def test_what_the_instrument_no_longer_has_is_left_out(restarted: Pages, file: Path) -> None:
    values = {"brightness": 1e9, "of another model": 3.0, "vibrato": 0.5}
    file.parent.mkdir()
    sound = {"values": values, "timbre": {"second": 1}, "place": [0, 0]}
    file.write_text(json.dumps(GOOD | {"sound": sound, "slots": {"B": sound}}))
    session, synth = load_session(file), restarted.handler.synth
    assert session is not None
    resume_sound(synth, session)
    resume_slots(restarted.handler, session)
    assert synth.controls["brightness"] == synth.controls.definitions["brightness"].max
    assert synth.controls["vibrato"] == 0.5
    restarted.send("recall", slot="B")
    assert restarted.quiet


def test_a_timbre_that_is_gone_is_told(restarted: Pages, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps(GOOD | {"sound": {"values": {}, "timbre": {"kazoo": 1}, "place": [0, 0]}}))
    session = load_session(file)
    assert session is not None
    with pytest.raises(CmaudioError, match="kazoo"):
        resume_sound(restarted.handler.synth, session)


def test_a_failure_of_any_kind_is_told_once_and_the_session_is_written_later(
    pages: Pages, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmaudio.panel.session._CHECK_SECONDS", 0.01)
    told: list[str] = []
    pages.handler.slots.fill({"A": "no snapshot"}, None)  # type: ignore[dict-item]
    keeper = SessionKeeper(pages.handler, file, told.append)
    wait_for(lambda: bool(told))
    assert not file.exists()
    pages.handler.slots.fill({}, None)
    wait_for(file.exists)
    keeper.close()
    assert len(told) == 1
    assert told[0].startswith("the session is not saved: ")
