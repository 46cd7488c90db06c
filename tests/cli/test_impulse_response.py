"""`--impulse-response` of the commands that play pieces, and of live ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.impulse_responses import ELSEWHERE, UNUSABLE, USABLE, write_clap
from fixtures.osc import make_synth
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.cli.options import DEFAULT_SEND
from cmaudio.cli.settings import use_space
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model


@pytest.mark.parametrize("wrong", [*UNUSABLE, *ELSEWHERE])
def test_a_file_that_cannot_be_used_is_told_before_anything_is_rendered(wrong: str, tmp_path: Path) -> None:
    write, message = (UNUSABLE | ELSEWHERE)[wrong]
    write(tmp_path / "space.wav")
    output = tmp_path / "out.wav"
    result = CliRunner().invoke(app, ["render", "-o", str(output), "--impulse-response", str(tmp_path / "space.wav")])
    assert isinstance(result.exception, CmaudioError)
    assert message in str(result.exception)
    assert not output.exists()


@pytest.mark.parametrize("kind", USABLE)
def test_a_live_instrument_sends_to_the_space_at_once(kind: str, model: Model, tmp_path: Path) -> None:
    USABLE[kind](tmp_path / "space.wav")
    with make_synth(model) as synth:
        use_space(synth, None)
        assert (synth.impulse_response, synth.controls["reverb"]) == (None, 0)
        use_space(synth, tmp_path / "space.wav")
        assert synth.impulse_response == str(tmp_path / "space.wav")
        assert synth.controls["reverb"] == DEFAULT_SEND


def test_a_level_that_is_set_stays(model: Model, tmp_path: Path) -> None:
    write_clap(tmp_path / "space.wav")
    with make_synth(model) as synth:
        synth.controls.set("reverb", 0.125)
        use_space(synth, tmp_path / "space.wav")
        assert synth.controls["reverb"] == 0.125
