"""`play` and `say` on a machine without a sound card: to a file, unless something else is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError, DeviceError

RENDERS = {"play": "render_to_file", "say": "speak"}


class Rendered(Exception):
    """A file would be written now."""


@pytest.mark.parametrize(
    ("error", "ends_in"),
    [(DeviceError("there is no output device"), Rendered), (CmaudioError("steps must be 1"), CmaudioError)],
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["play", "--model", "instrument"],
        ["say", "Hello.", "--model", "english"],
        ["say", "Hello.", "--voice", "english"],
    ],
)
def test_only_a_missing_device_leads_to_a_file(
    arguments: list[str], error: CmaudioError, ends_in: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_settings: Any) -> None:
        raise error

    def render(*_arguments: Any, **_settings: Any) -> None:
        raise Rendered

    monkeypatch.setattr(f"cmaudio.cli.{arguments[0]}.open", fail)
    monkeypatch.setattr("cmaudio.cli.without_device.any_output", lambda: False)
    monkeypatch.setattr(f"cmaudio.cli.{arguments[0]}.{RENDERS[arguments[0]]}", render)
    result = CliRunner().invoke(app, arguments)
    assert type(result.exception) is ends_in, result.output


@pytest.mark.parametrize("text", ["", "  ", "\n"])
@pytest.mark.parametrize("form", [[], ["--phonemes"], ["--ssml"]])
def test_an_empty_text_is_refused_before_anything_is_written(
    text: str, form: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["say", text, *form, "-o", "said.wav"])
    assert "the text is empty" in str(result.exception)
    assert not list(tmp_path.iterdir())
