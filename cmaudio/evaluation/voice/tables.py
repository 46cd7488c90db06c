"""A voice's report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from cmaudio.evaluation.context import Figures

_NOTHING = "not measured"


def print_voice(sections: Figures, console: Console) -> None:
    """Speed and scores by speaker in one table, the other sections below it."""
    speed, scores = sections.get("speed", {}), sections.get("scores", {})
    rows: dict[str, Figures] = {}
    for kind in [*scores.get("kinds", {}), *speed]:
        rows[kind] = {**scores.get("kinds", {}).get(kind, {}), **speed.get(kind, {})}
    if rows:
        console.print(_by_kind(rows))
    for name, reason in scores.get("not_measured_here", {}).items():
        console.print(f"{name}: {_NOTHING}: {reason}", highlight=False, markup=False)
    for name in ("copy_synthesis", "first_sound", "intonation", "pauses", "reading"):
        if name in sections:
            more = scores.get("reading", {}) if name == "reading" else {}
            console.print(_values(name.replace("_", " "), {**sections[name], **more}))


def _by_kind(rows: Mapping[str, Figures]) -> Table:
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    table = Table(title="Held-out sentences", title_justify="left", title_style="bold")
    table.add_column("")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for kind, row in rows.items():
        table.add_row(kind, *(str(row.get(column, "")) for column in columns))
    return table


def _values(title: str, values: Figures) -> Table:
    table = Table("", "", title=title, title_justify="left", title_style="bold", show_header=False)
    for key, value in _flat("", values):
        table.add_row(key, str(value))
    return table


def _flat(prefix: str, values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{prefix} {key.replace('_', ' ')}".strip()
        rows += _flat(name, value) if isinstance(value, Mapping) else [(name, value)]
    return rows
