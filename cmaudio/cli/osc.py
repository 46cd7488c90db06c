"""`cmaudio osc`."""

from __future__ import annotations

from cmaudio.cli.options import Json, ModelName
from cmaudio.cli.terminal import to_json, visible
from cmaudio.model.file import DEFAULT_MODEL, load_model
from cmaudio.osc.document import markdown, rows


def osc(model: ModelName = DEFAULT_MODEL, as_json: Json = False) -> None:
    """Print the OSC addresses of a model's server, received and sent, as a Markdown table."""
    loaded = load_model(model)
    print(to_json(rows(loaded)) if as_json else visible(markdown(loaded).rstrip("\n")))
