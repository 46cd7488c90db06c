"""A textures' report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cmaudio.evaluation.context import Figures

_NAMES = ("n", "median", "p95", "min", "max")
_NAMED = {
    "held-out recordings": "held_out_right",
    "made, the same timbres": "made_right",
    "ratio": "made_over_held_out",
    "made, all": "made_right_of_all",
}
_ROWS = {
    "likeness": ("to_training", "halves", "to_held_out", "looping_to_held_out"),
    "copies": ("made", "held_out"),
    "takes": ("ratio",),
    "beds": ("level_db", "spectrum_db", "repetition"),
}


def print_textures(sections: Figures, console: Console) -> None:
    """A table for each section, of its summaries over the timbres."""
    for name, figures in sections.items():
        if "not_measured" in figures:
            console.print(f"{name}: not measured: {figures['not_measured']}")
        elif name == "naming":
            _print_naming(figures, console)
        elif name == "controls":
            rows = [(control, of["rank_correlation"]) for control, of in figures["controls"].items()]
            console.print(_table("controls: rank correlation of what is asked and what is measured", rows))
        else:
            console.print(_table(name, [(row, figures[row]) for row in _ROWS[name]]))


def _print_naming(figures: Figures, console: Console) -> None:
    """Shares of right names, and distances of embeddings."""
    table = Table(title="naming: share of clips named right", title_justify="left", title_style="bold")
    for name in _NAMED:
        table.add_column(name, justify="right")
    table.add_row(*("-" if figures[key] is None else f"{figures[key]:g}" for key in _NAMED.values()))
    console.print(table)
    embeddings = figures["embeddings"]
    console.print(_table("naming: distance of embeddings", [(row, embeddings[row]) for row in _ROWS["likeness"]]))


def _table(title: str, rows: Sequence[tuple[str, Figures]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for i, column in enumerate(("", *_NAMES)):
        table.add_column(column, justify="right" if i else "left")
    for name, values in rows:
        table.add_row(name.replace("_", " "), *("-" if values[k] is None else f"{values[k]:g}" for k in _NAMES))
    return table
