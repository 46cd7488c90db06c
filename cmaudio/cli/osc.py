"""The command line of OSC: the table of addresses."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cmaudio.model.file import DEFAULT_MODEL, load_model
from cmaudio.osc.document import markdown, rows


def osc(
    model: Annotated[str, typer.Option("--model", help="Embedded model's name, or a model file.")] = DEFAULT_MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the OSC addresses that a model's server understands and tells, as Markdown."""
    loaded = load_model(model)
    print(json.dumps(rows(loaded), indent=1, ensure_ascii=False) if as_json else markdown(loaded), end="")
    if as_json:
        print()
