"""What the commands share: the two consoles, notices, and whether there is a sound card."""

from __future__ import annotations

from rich.console import Console

from cmaudio.errors import CmaudioError
from cmaudio.output.devices import list_devices

console = Console()
errors = Console(stderr=True)


def notice(text: str) -> None:
    """Something that the user should know, on standard error."""
    errors.print("[yellow]note:[/] ", end="")
    errors.print(text, highlight=False, markup=False)


def device_of(option: str | None) -> str | int | None:
    """A `--device` option: an index, or a name or part of it."""
    return int(option) if option and option.isdecimal() else option


def any_output() -> bool:
    """Whether there is a sound card output, and PortAudio to reach it."""
    try:
        return bool(list_devices())
    except CmaudioError:
        return False
