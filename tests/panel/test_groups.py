"""In which group of the panel's sliders a control is."""

from __future__ import annotations

import pytest

pytest.importorskip("nicegui")
from cmaudio.controls.definitions import control_definitions
from cmaudio.model.file import load_model
from cmaudio.panel.web.controls_view import _TITLES, group_of, limits
from cmaudio.synthesis.texture_features import TEXTURE_CONTROLS


@pytest.mark.parametrize(
    ("control", "group"),
    [
        *((name, "texture") for name in TEXTURE_CONTROLS),
        ("distance", "place"),
        ("reverb_size", "reverb"),
        ("scatter_pan", "scatter"),
        ("gain", ""),
        ("brightness", "tone"),
        ("bend_range", "keyboard"),
    ],
)
def test_each_control_is_in_its_group(control: str, group: str) -> None:
    assert group_of(control) == group


@pytest.mark.parametrize(
    ("control", "shown"),
    [("attack", "× 0.062 to × 16"), ("sustain", "-48 to 12 dB"), ("velocity", "1 to 127 MIDI velocity")],
)
def test_limits_are_shown_as_a_musician_reads_them(control: str, shown: str) -> None:
    definition = control_definitions(load_model("instrument"))[control]
    assert limits(definition.model_dump()) == shown


def test_what_a_texture_is_steered_with_comes_first() -> None:
    shown = control_definitions(load_model("textures"))
    assert next(iter(_TITLES)) == "texture"
    assert [name for name in shown if group_of(name) == "texture"] == list(TEXTURE_CONTROLS)
