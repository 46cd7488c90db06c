"""`cmaudio presets`."""

from __future__ import annotations

from rich.table import Table

from cmaudio.cli.options import Json
from cmaudio.cli.terminal import console, notice, to_json
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset_files import load_preset, preset_files


def presets(as_json: Json = False) -> None:
    """List the presets: the built-in ones and your own."""
    rows = []
    for file, path in preset_files().items():
        try:
            rows.append(load_preset(path).model_dump() | {"file": str(path)})
        except CmaudioError as error:
            notice(str(error))
            rows.append({"name": file, "description": "cannot be read", "model": "", "timbre": {}, "file": str(path)})
    if as_json:
        print(to_json(rows))
        return
    table = Table("name", "description", "model", "timbres")
    for row in rows:
        timbres = ", ".join(row["timbre"]) if isinstance(row["timbre"], dict) else "a point in timbre space"
        table.add_row(row["name"], row["description"], row["model"], timbres)
    console.print(table)
