"""A preset from the command line, for engines of one and two channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmaudio.cli.options import DEFAULT_SEND
from cmaudio.cli.settings import PieceSettings, piece_settings
from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
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


def settings_of(*options: str) -> PieceSettings:
    return piece_settings(
        "chapel", DEFAULT_MODEL, timbre=None, seed=None, steps=None, gain_db=None, controls=list(options)
    )


def test_controls_of_the_command_line_take_precedence_over_the_preset() -> None:
    assert settings_of("attack=1.5", "reverb = 0").controls == load_preset("chapel").controls | {
        "attack": 1.5,
        "reverb": 0.0,
    }


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("attack", "--set attack: give a control and a number, as in --set attack=1.5"),
        ("attack=long", "give a control and a number"),
        ("gain=3", "--set gain: use --gain"),
    ],
)
def test_options_that_are_no_controls_are_named(option: str, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        settings_of(option)


@pytest.mark.parametrize(
    ("preset", "sent"), [(None, DEFAULT_SEND), ("chapel", load_preset("chapel").controls["reverb"])]
)
def test_an_impulse_response_is_heard_without_a_level_of_its_own(preset: str | None, sent: float) -> None:
    settings = piece_settings(
        preset, DEFAULT_MODEL, timbre=None, seed=None, steps=None, gain_db=None, impulse_response=Path("church.wav")
    )
    assert settings.impulse_response == "church.wav"
    assert settings.controls["reverb"] == sent
