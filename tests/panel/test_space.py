"""A recorded space from the panel: a sound file of its folder in place of the reverb."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.browser import wait_for
from fixtures.impulse_responses import UNUSABLE, USABLE, write_clap
from fixtures.panel import Pages

from cmaudio.panel.state_updates import StateUpdates
from cmaudio.synth import Synth


@pytest.mark.parametrize("kind", USABLE)
def test_a_file_of_the_folder_replaces_the_reverb_and_none_brings_it_back(
    kind: str, pages: Pages, synth: Synth, tmp_path: Path
) -> None:
    USABLE[kind](pages.handler.takes.folder / "hall.wav")
    updates = StateUpdates(pages.handler)
    assert updates.message()["space"] is None
    pages.send("space", file="hall.wav")
    wait_for(lambda: synth.impulse_response is not None)
    assert updates.message()["space"] == "hall.wav"
    pages.send("space", file=None)
    wait_for(lambda: synth.impulse_response is None)
    assert updates.message()["space"] is None
    updates.close()
    pages.handler.close()
    assert pages.quiet


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(kind: str, pages: Pages, synth: Synth) -> None:
    write, message = UNUSABLE[kind]
    write(pages.handler.takes.folder / "hall.wav")
    pages.send("space", file="hall.wav")
    assert message in pages.refusal()
    assert synth.impulse_response is None
    pages.handler.close()


@pytest.mark.parametrize("name", ["none.wav", "../hall.wav", "/etc/passwd", "link.wav"])
def test_only_files_that_are_listed_can_be_chosen(name: str, pages: Pages, tmp_path: Path) -> None:
    write_clap(tmp_path.parent / "hall.wav")
    (pages.handler.takes.folder / "link.wav").symlink_to(tmp_path.parent / "hall.wav")
    pages.send("space", file=name)
    assert "there is no sound file" in pages.refusal()
    pages.handler.close()
