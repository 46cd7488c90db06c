"""`cmaudio osc`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cmaudio.cli.options import Json, ModelName
from cmaudio.cli.terminal import to_json, visible
from cmaudio.controls.definitions import control_definitions
from cmaudio.model.file import DEFAULT_MODEL, Model, load_model
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


def osc(model: ModelName = DEFAULT_MODEL, as_json: Json = False) -> None:
    """Print the OSC addresses of a model's server, received and sent, as a Markdown table."""
    loaded = load_model(model)
    print(to_json(rows(loaded)) if as_json else visible(markdown(loaded).rstrip("\n")))
