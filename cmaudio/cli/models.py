"""`cmaudio models list` and `cmaudio models inspect`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table

from cmaudio.cli.options import Json
from cmaudio.cli.terminal import console, to_json
from cmaudio.model.file import DEFAULT_MODEL, embedded_models, load_model
from cmaudio.model.manifest import Manifest

app = typer.Typer(help="List and inspect model files.", no_args_is_help=True)


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the embedded models."""
    rows = []
    for name, path in embedded_models().items():
        manifest = load_model(path).manifest
        rows.append(
            {
                "name": name,
                "description": manifest.description,
                "timbres": len(manifest.timbres),
                "sample_rate": manifest.sample_rate,
                "megabytes": round(path.stat().st_size / 1e6, 1),
                "licence": manifest.licence,
            }
        )
    if as_json:
        print(to_json(rows))
        return
    table = Table("name", "description", "timbres", "sample rate", "MB", "licence")
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)


@app.command("inspect")
def inspect_model(
    name: Annotated[
        str, typer.Argument(help="Name of an embedded model, a model file, or a folder with one.")
    ] = DEFAULT_MODEL,
    as_json: Json = False,
) -> None:
    """Show the model card, controls and timbres of a model."""
    model = load_model(name)
    if as_json:
        print(to_json(model.manifest.model_dump(mode="json") | model.data.model_dump() | {"card": model.card}))
        return
    console.print(Markdown(model.card))
    console.print(_controls(model.manifest))
    console.print(_timbres(model.manifest))


def _controls(manifest: Manifest) -> Table:
    table = Table("control", "unit", "from", "to", "default", "meaning", title="Controls")
    for c in manifest.controls:
        table.add_row(c.name, c.unit, f"{c.min:g}", f"{c.max:g}", f"{c.default:g}", c.description)
    return table


def _timbres(manifest: Manifest) -> Table:
    table = Table("program", "timbre", "sustains", title="Timbres")
    for timbre in manifest.timbres:
        program = "" if timbre.program is None else str(timbre.program + 1)
        table.add_row(program, timbre.name, "yes" if timbre.sustained else "")
    return table
