"""The instrument as HTML for notebooks: its model, timbre, seed and controls as tables."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from cmaudio.instrument.instrument import Instrument


def synth_html(synth: Instrument) -> str:
    """The model, its timbre, seed and controls, the level, and the sound card."""
    controls, state = synth.controls, synth.state()
    mix = controls.timbre
    timbre = "a vector" if mix is None else ", ".join(f"{name} {weight:.0%}" for name, weight in mix.items())
    facts = [
        ("timbre", timbre),
        ("seed", "different for each note" if controls.seed is None else str(controls.seed)),
        ("level", f"{state.engine.peak_db:.1f} dB"),
        ("voices", f"{state.engine.voices} of {state.engine.limit}"),
        *([("cut off", f"{state.engine.stolen} notes")] if state.engine.stolen else []),
        ("sound card", f"{state.player.status}, {state.player.device_name}"),
    ]
    rows = [
        (c.name, f"{controls[c.name]:g}", c.unit, f"{c.min:g} to {c.max:g}", c.description)
        for c in controls.definitions.values()
    ]
    return f"<div><b>{escape(synth.model.manifest.name)}</b>{_table(facts)}{_table(rows)}</div>"


def _table(rows: Iterable[Iterable[str]]) -> str:
    lines = ("".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
