"""Terminal output shared by the commands: two consoles that print names literally, notices, progress, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import Progress, ProgressColumn
from rich.segment import Segment
from rich.text import Text

_KEPT = "\n\t"
# C0 controls and DEL become their Unicode pictures, C1 controls (which some terminals obey) a replacement character.
_VISIBLE = {code: 0x2400 + code for code in range(0x20) if chr(code) not in _KEPT}
# Lone surrogates, which stand for bytes of file names that are not UTF-8 and cannot be printed, are replaced too.
_VISIBLE |= {0x7F: 0x2421} | dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000)), 0xFFFD)


def visible(text: str) -> str:
    """The text with control characters escaped, so that a terminal shows them instead of executing them."""
    return text.translate(_VISIBLE)


class PlainConsole(Console):
    """A console that prints strings literally.

    Names of timbres, controls, files and devices come from files and users: `[/x]` is not markup here, `:bell:` not an
    emoji, and escape sequences are shown, not executed. Styles are given as `Text`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)


console = PlainConsole()
errors = PlainConsole(stderr=True)


def notice(text: str) -> None:
    """Print something that the user should know to standard error."""
    errors.print(Text.assemble(("note: ", "yellow"), text))


def warn_unspoken(texts: Iterable[str]) -> None:
    """Print the parts of a text that could not be spoken, with the reason, to standard error."""
    for text in texts:
        errors.print(Text.assemble(("not spoken: ", "yellow"), text))


def progress_bar(*columns: ProgressColumn) -> Progress:
    """A progress bar on standard error that disappears when it is done."""
    return Progress(*columns, console=errors, transient=True)


def to_json(value: Any, indent: int | None = 1) -> str:
    """JSON that is safe to print: Unicode as it is, but no control characters and no lone surrogates."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join(f"\\u{ord(c):04x}" if 0x7F <= ord(c) < 0xA0 or "\ud800" <= c <= "\udfff" else c for c in text)
