"""The live meter in the terminal: level, voices, load, output buffer, underruns, notes cut off."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cmaudio.instrument.instrument import InstrumentState
from cmaudio.synth import Synth

_BAR_CELLS = 24
_BAR_FLOOR_DB = -48.0
_LINE_SECONDS = 5.0
_MARGIN_SECONDS = 0.3


def show_while_playing(synth: Synth, duration: float, console: Console) -> None:
    """Show the meter until all sound has decayed; without a terminal, print a line every few seconds."""
    _show_while(lambda: not synth.engine.idle, synth, duration, console)
    synth.wait(_MARGIN_SECONDS)
    _print_counters(synth, console)


def _print_counters(synth: Synth, console: Console) -> None:
    state = synth.state()
    counters, stolen = state.player.counters, state.engine.stolen
    cut_off = f", {stolen} notes cut off" if stolen else ""
    console.print(f"{counters.underruns} underruns in {counters.callbacks} callbacks{cut_off}")


def show_until_stopped(synth: Synth, console: Console) -> None:
    """Show the meter until Ctrl-C; without a terminal, print a line every few seconds."""
    try:
        _show_while(lambda: True, synth, None, console)
    except KeyboardInterrupt:
        _print_counters(synth, console)


def _show_while(playing: Callable[[], bool], synth: Synth, duration: float | None, console: Console) -> None:
    if console.is_terminal:
        with Live(console=console, refresh_per_second=12, transient=False) as live:
            while playing():
                live.update(_line(synth.state(), duration))
                synth.wait(0.08)
    while playing():
        began = time.monotonic()
        while playing() and time.monotonic() - began < _LINE_SECONDS:
            synth.wait(0.2)
        console.print(_line(synth.state(), duration), soft_wrap=True)


def _line(state: InstrumentState, duration: float | None) -> Text:
    engine, player = state.engine, state.player
    levels = "".join(f" {level:6.1f}" for level in engine.sides_db)
    filled = round(_BAR_CELLS * min(1.0, max(0.0, 1 - engine.peak_db / _BAR_FLOOR_DB)))
    line = Text(f"{engine.seconds:6.1f}" + ("" if duration is None else f" / {duration:.0f}") + " s  ")
    line.append("█" * filled, "red" if engine.peak_db > -1 else "green")
    line.append("░" * (_BAR_CELLS - filled) + f"{levels} dB  ")
    line.append(
        f"voices {engine.voices:2d} of {engine.limit}  load {player.load:4.0%}  buffer {player.lead_ms:3.0f} ms  "
    )
    line.append(f"underruns {player.counters.underruns}", "red" if player.counters.underruns else "")
    if engine.stolen:
        line.append(f"  {engine.stolen} notes cut off", "yellow")
    if player.status != "playing":
        line.append(f"  {player.status}", "bold red")
    return line
