"""A preset from the command line, for engines of one and two channels."""

from __future__ import annotations

import pytest

from cmaudio.cli.settings import piece_settings
from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.instrument.preset_files import load_preset
from cmaudio.model.file import DEFAULT_MODEL, Model, load_model


@pytest.fixture(scope="module")
def instrument() -> Model:
    return load_model(DEFAULT_MODEL)


@pytest.mark.parametrize(("channels", "has_reverb"), [(1, False), (2, True)])
def test_a_preset_with_effects_fits_an_engine_of_any_channels(
    channels: int, has_reverb: bool, instrument: Model
) -> None:
    settings = piece_settings("chapel", DEFAULT_MODEL, timbre=None, seed=None, steps=None, gain_db=None)
    controls = Controls(Engine(instrument, channels=channels))
    controls.apply(settings.controls_for(channels))
    assert "reverb" in load_preset("chapel").controls
    assert (controls.values().get("reverb", 0) > 0) == has_reverb
