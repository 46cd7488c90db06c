"""What files and users give is printed as it is: no markup, no emoji, no terminal escapes."""

from __future__ import annotations

import io
import json

import pytest
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from cmaudio.cli.terminal import PlainConsole, to_json

HOSTILE = ["[/x]", "[bold]loud[/]", "[link=file:///etc/passwd]x[/link]", "\\[x]", ":bell:", "[", "]", "[[[/"]
ESCAPES = ["\x1b[2J", "\x1b]0;title\x07", "a\x08b", "\x9b31m", "\x7f", "\r", "\x0b"]


def printed(thing: object) -> str:
    out = io.StringIO()
    PlainConsole(file=out, width=200, force_terminal=True, color_system=None).print(thing)
    return out.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_printed_literally(name: str) -> None:
    table = Table("name", title=name)
    table.add_row(name)
    for thing in (name, Text(name), Text.assemble(("bold", "bold"), name), table):
        assert name in printed(thing)


@pytest.mark.parametrize("escape", ESCAPES)
def test_control_characters_are_escaped(escape: str) -> None:
    table = Table("name", title=escape)
    table.add_row(escape)
    for thing in (escape, Text(escape), table, Markdown(f"a {escape} card")):
        shown = printed(thing)
        assert not any((ord(c) < 0x20 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in shown), repr(shown)


def test_json_is_printed_without_control_characters_and_reads_back() -> None:
    value = {"name": "".join(ESCAPES) + "Flöte"}
    text = to_json(value)
    assert json.loads(text) == value
    assert "Flöte" in text
    assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in text)
