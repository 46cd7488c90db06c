"""The table of OSC addresses as Markdown and as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cmaudio.controls.definitions import control_definitions
from cmaudio.model.file import Model
from cmaudio.osc.address import Address
from cmaudio.osc.addresses import incoming, outgoing


def addresses(model: Model) -> tuple[list[Address], list[Address]]:
    """The addresses that a model's server accepts, and those that it sends."""
    definitions, speaks = control_definitions(model), model.manifest.speech is not None
    return list(incoming(definitions, speaks).values()), outgoing(definitions, speaks)


def rows(model: Model) -> list[dict[str, Any]]:
    """The table as plain data for JSON: direction, path, description, arguments with their ranges."""
    return [
        {"direction": direction, "path": a.path, "description": a.description}
        | {"repeats": bool(a.repeats), "arguments": [asdict(argument) for argument in a.arguments]}
        for direction, group in zip(("in", "out"), addresses(model), strict=True)
        for a in group
    ]


def markdown(model: Model) -> str:
    """Two tables in Markdown: what is accepted, and what is sent."""
    parts = [f"# OSC addresses of {model.manifest.name}"]
    for title, group in zip(("Received", "Sent"), addresses(model), strict=True):
        lines = [f"| `{a.path}` | {a.signature} | {a.description} |" for a in group]
        parts.append("\n".join((f"## {title}\n", "| address | arguments | meaning |", "|---|---|---|", *lines)))
    return "\n\n".join(parts) + "\n"
