"""Files that OSC clients may write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.impulse_responses import UNUSABLE, USABLE
from fixtures.osc import Client
from fixtures.waiting import wait_for
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.osc import OscServer
from cmaudio.osc.folder import SoundFolder
from cmaudio.synth import Synth


def test_files_are_written_only_inside_the_folder(synth: Synth, client: Client, tmp_path: Path) -> None:
    synth.engine.note_on(60)
    synth.recorder.read(8000)
    (tmp_path / "sub").mkdir()
    client.send("/cmaudio/keep", "sub/a.wav", 0.25)
    assert client.read() == ("/cmaudio/kept", ["sub/a.wav"])
    assert (tmp_path / "sub" / "a.mid").exists()
    client.send("/cmaudio/record/start", "b.flac")
    client.settle()
    client.send("/cmaudio/record/start", "c.flac")
    assert "b.flac is being recorded" in client.read()[1][0]
    synth.recorder.read(8000)
    client.send("/cmaudio/record/stop")
    assert client.read() == ("/cmaudio/recorded", ["b.flac"])
    (tmp_path / "old.mid").write_text("mine")
    for name, told in [
        ("sub/a.wav", "exists already"),
        ("old.wav", "old.mid exists already"),
        ("../a.wav", "without .."),
        ("/tmp/a.wav", "without .."),
        ("C:\\a.wav", "without .."),
        ("..\\a.wav", "without .."),
        ("none/a.wav", "folder"),
        ("a.aiff", "sound format"),
    ]:
        client.send("/cmaudio/keep", name)
        assert told in client.read()[1][0], name
    assert (tmp_path / "old.mid").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.flac", "b.mid", "old.mid", "sub"]


def test_a_subscribed_port_also_gets_answers_and_errors(synth: Synth, server: OscServer, client: Client) -> None:
    listening = Client(server)
    with listening.socket:
        client.send("/cmaudio/subscribe", listening.port)
        synth.engine.note_on(60)
        synth.recorder.read(8000)
        client.send("/cmaudio/keep", "a.wav", 0.25)
        assert listening.read_until("/cmaudio/kept") == ["a.wav"]
        client.send("/cmaudio/keep", "../a.wav")
        assert "without .." in listening.read_until("/cmaudio/error")[0]


@given(st.text(max_size=30) | st.lists(st.sampled_from(["..", "a", "~", "/", "\\", ".", "C:", "a.wav"])).map("/".join))
@settings(deadline=None, max_examples=200)
def test_no_file_name_leads_out_of_the_folder(tmp_path_factory: Any, name: str) -> None:
    folder = SoundFolder(tmp_path_factory.getbasetemp())
    try:
        path = folder.new_file(name)
    except CmaudioError:
        return
    assert path.is_absolute()
    assert path.resolve().is_relative_to(folder.path)


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to(tmp_path)
    (tmp_path / "in" / "b.mid").symlink_to(tmp_path / "elsewhere.mid")
    folder = SoundFolder(tmp_path / "in")
    for name in ("out/a.wav", "b.wav"):
        with pytest.raises(CmaudioError):
            folder.new_file(name)
    with pytest.raises(CmaudioError, match="is not a folder"):
        SoundFolder(tmp_path / "none")


@pytest.mark.parametrize("kind", USABLE)
def test_an_impulse_response_comes_from_the_folder(kind: str, synth: Synth, client: Client, tmp_path: Path) -> None:
    (tmp_path / "rooms").mkdir()
    USABLE[kind](tmp_path / "rooms" / "hall.wav")
    client.send("/cmaudio/impulse_response", "rooms/hall.wav")
    wait_for(lambda: synth.impulse_response == str(tmp_path / "rooms" / "hall.wav"))
    client.send("/cmaudio/impulse_response")
    wait_for(lambda: synth.impulse_response is None)


@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_impulse_response_that_cannot_be_used_is_answered(
    kind: str, synth: Synth, client: Client, tmp_path: Path
) -> None:
    write, message = UNUSABLE[kind]
    write(tmp_path / "hall.wav")
    client.send("/cmaudio/impulse_response", "hall.wav")
    assert message in client.read()[1][0]
    assert synth.impulse_response is None


@pytest.mark.parametrize(
    ("name", "message"),
    [("../hall.wav", "without .."), ("/etc/passwd", "without .."), ("none.wav", "no file 'none.wav'")],
)
def test_no_impulse_response_comes_from_elsewhere(name: str, message: str, client: Client) -> None:
    client.send("/cmaudio/impulse_response", name)
    assert message in client.read()[1][0]
