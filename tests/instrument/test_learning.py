"""Learning a timbre on a live instrument."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from fixtures.examples import thud, written

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import load_model
from cmaudio.output.player import Player
from cmaudio.synth import Synth


class SilentPlayer:
    def wake(self) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def synth() -> Synth:
    recorder = Recorder(Engine("textures"))
    return Synth(recorder.engine, recorder, cast("Player", SilentPlayer()))


def test_it_is_chosen_listed_on_the_map_and_saved(synth: Synth, tmp_path: Path) -> None:
    door, kick = (written(tmp_path / name, thud(seed)) for seed, name in enumerate(("door.wav", "kick.wav")))
    synth.learn(door)
    learned = synth.learn(kick, save=tmp_path / "mine.cmaudio", licence="CC0-1.0")
    assert synth.controls.timbre == {"kick": 1.0}
    assert synth.controls.timbre_map.names[-2:] == ["door", "kick"]
    places = synth.controls.timbre_map.places[-2:].tolist()
    assert places[0] != places[1]
    x, y = places[1]
    assert synth.controls.timbre_map.mix(x, y) == {"kick": 1.0}
    assert synth.as_preset("Mine").timbre == {"kick": 1.0}
    saved = load_model(tmp_path / "mine.cmaudio")
    assert [timbre.name for timbre in saved.manifest.timbres[-2:]] == ["door", "kick"]
    assert saved.timbres["kick"] == learned.timbre


def test_what_fails_changes_nothing(synth: Synth, tmp_path: Path) -> None:
    door, silent = written(tmp_path / "door.wav", thud()), written(tmp_path / "silent.wav", 0 * thud())
    before = synth.model.manifest
    for path, save in ((silent, None), (door, tmp_path / "no" / "mine.cmaudio"), (door, tmp_path / "mine.zip")):
        with pytest.raises(CmaudioError):
            synth.learn(path, save=save)
    assert synth.model.manifest == before
