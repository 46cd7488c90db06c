"""Inserts and impulse responses of an instrument, and what presets keep of them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset_files import load_preset, save_preset
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import Model
from cmaudio.output.player import Player
from cmaudio.synth import Synth


class SilentPlayer:
    def __init__(self) -> None:
        self.notices: list[str] = []

    def notify(self, text: str) -> None:
        self.notices.append(text)

    def wake(self) -> None: ...
    def close(self) -> None: ...


def silent_synth(model: Model, channels: int = 2) -> tuple[Synth, SilentPlayer]:
    recorder, player = Recorder(Engine(model, channels=channels)), SilentPlayer()
    return Synth(recorder.engine, recorder, cast("Player", player)), player


def clap(path: Path, rate: int = 48_000) -> Path:
    noise = np.random.default_rng(0).standard_normal((rate // 4, 2))
    soundfile.write(path, 0.1 * noise * np.exp(-np.arange(len(noise)) / 2000)[:, None], rate)
    return path


def test_an_insert_that_fails_is_told_and_the_sound_goes_on(model: Model) -> None:
    synth, player = silent_synth(model)
    insert = synth.insert(lambda block: block * np.nan)
    synth.note_on(60)
    assert synth.recorder.read(9600).any()
    assert insert.problem is not None
    assert player.notices == [f"the insert '<lambda>' is bypassed: {insert.problem}; fix it and insert it again"]


def test_presets_keep_effects_and_impulse_responses(model: Model, tmp_path: Path) -> None:
    synth, player = silent_synth(model)
    synth.controls.set("reverb", 0.4)
    synth.controls.set("reverb_kind", 3)
    synth.controls.set("delay_beats", 0.5)
    synth.use_impulse_response(clap(tmp_path / "clap.wav", 44_100))
    assert "resampled" in player.notices[0]
    saved = load_preset(save_preset(synth.as_preset("Far away"), tmp_path / "far.json"))
    assert saved.controls == {"reverb": 0.4, "reverb_kind": 3, "delay_beats": 0.5}
    other, _ = silent_synth(model)
    other.apply(saved)
    assert other.as_preset("Far away") == saved
    other.apply("Chapel")
    assert other.as_preset("Chapel").impulse_response is None


def test_a_preset_whose_impulse_response_is_gone_changes_nothing(model: Model, tmp_path: Path) -> None:
    synth, _ = silent_synth(model)
    lost = synth.as_preset("Lost").model_copy(
        update={"impulse_response": str(tmp_path / "lost.wav"), "controls": {"reverb": 0.7}}
    )
    with pytest.raises(CmaudioError, match=r"impulse response .*lost\.wav cannot be read"):
        synth.apply(lost)
    assert synth.controls["reverb"] == 0


def test_presets_fit_an_instrument_of_one_channel(model: Model) -> None:
    synth, _ = silent_synth(model, channels=1)
    synth.apply("Night tines")
    synth.note_on(60)
    assert synth.recorder.read(9600).any()
