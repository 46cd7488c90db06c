"""The music section as tables for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from cmaudio.evaluation.setting import Figures


def print_music(figures: Figures, console: Console) -> None:
    """A row for each piece, and the octaves and parts that are furthest off."""
    targets = figures["targets"]
    table = Table(title="Music beside FluidSynth", title_justify="left", title_style="bold")
    columns = (
        "",
        f"level, dB (within {targets['level_db']:g})",
        f"onset flux (at least {targets['flux']:g})",
        f"octaves, largest, dB (within {targets['octave_db']:g})",
    )
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    for name, row in figures["pieces"].items():
        table.add_row(name, f"{row['level_db']:+.1f}", f"{row['flux']:.2f}", f"{row['octave_max_db']:.1f}")
    console.print(table)
    for name, row in figures["pieces"].items():
        octaves = ", ".join(f"{hz} Hz {value:+.1f}" for hz, value in row["octaves_db"].items())
        parts = ", ".join(f"{part} {value:+.1f}" for part, value in row["parts_db"].items())
        console.print(f"{name}: octaves from {octaves} dB" + (f"; parts {parts} dB" if parts else ""), highlight=False)
