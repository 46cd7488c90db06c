"""In which group of the panel's sliders a control is."""

from __future__ import annotations

import pytest

pytest.importorskip("nicegui")
from cmaudio.controls.definitions import control_definitions
from cmaudio.model.file import load_model
from cmaudio.panel.web.controls_view import _TITLES, group_of
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


def test_what_a_texture_is_steered_with_comes_first() -> None:
    shown = control_definitions(load_model("textures"))
    assert next(iter(_TITLES)) == "texture"
    assert [name for name in shown if group_of(name) == "texture"] == list(TEXTURE_CONTROLS)
