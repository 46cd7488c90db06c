"""An overview of a corpus: a table for the terminal and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cmaudio.files.place import Place, local_files, whole_file
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.corpus.shard import field_files
from cmaudio.training.prepare.outcomes import Entry, Outcome, reasons

_TABLE_ROWS = 20
_PICTURED_CLIPS = 12
_BARS = 40
_REASONS = 12


def print_summary(description: CorpusDescription, outcomes: Sequence[Outcome], console: Console) -> None:
    """Print splits, the timbres with the most audio, and why items were not used."""
    shown = sorted(description.timbres, key=lambda timbre: -timbre.seconds)[:_TABLE_ROWS]
    more = len(description.timbres) - len(shown)
    table = Table("timbre", "clips", "minutes", "", title=f"{description.name}: {len(description.timbres)} timbres")
    for timbre in shown:
        traits = [word for word, yes in (("pitched", timbre.pitched), ("sustained", timbre.sustained)) if yes]
        table.add_row(timbre.name, str(timbre.clips), f"{timbre.seconds / 60:.1f}", ", ".join(traits))
    if more:
        table.caption = f"and {more} more"
    console.print(table)
    for split, part in description.splits.items():
        console.print(f"{split}: {part.clips} clips, {part.seconds / 3600:.2f} h in {part.shards} shards")
    for reason, count in reasons(outcomes).most_common(_REASONS):
        console.print(Text.assemble(("not used: ", "yellow"), f"{count} x {reason}"))


def draw_summary(folder: Place, description: CorpusDescription, outcomes: Sequence[Outcome]) -> None:
    """Write summary.png: mel spectrograms of a few clips, time per timbre, histograms."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 12), layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=[3, 2])
    _draw_clips(parts[0], folder, description)
    entries = [entry for outcome in outcomes for entry in outcome.clips]
    _draw_histograms(parts[1], description, entries)
    with whole_file(folder / "summary.png") as part:
        figure.savefig(part, dpi=80, format="png")


def _draw_clips(figure: Any, folder: Place, description: CorpusDescription) -> None:
    clips = _some_clips(folder, description.splits["train"].shards)
    for axes, (name, mel) in zip(figure.subplots(3, 4).flat, clips, strict=False):
        axes.imshow(mel.T, origin="lower", aspect="auto", cmap="magma", interpolation="nearest")
        axes.set_title(name[:42], fontsize=8, parse_math=False)
        axes.set_xlabel("frame", fontsize=7)
        axes.set_ylabel("mel band", fontsize=7)
        axes.tick_params(labelsize=6)


def _some_clips(folder: Place, shards: int) -> list[tuple[str, np.ndarray]]:
    """Names and log-mels of clips of up to twelve shards, spread evenly; more per shard if there are few."""
    from lhotse import CutSet

    names = ("cuts", "recording", "log_mel", "harmonics", "pitch_track")
    chosen = sorted({int(i) for i in np.linspace(0, max(shards - 1, 0), _PICTURED_CLIPS)})
    a_shard = -(-_PICTURED_CLIPS // len(chosen))
    found = []
    for shard in chosen:
        files = dict(zip(names, field_files(shard), strict=True))
        with local_files(folder / "train", [files["cuts"], files["log_mel"]]) as here:
            fields = {name: [str(here / files[name])] for name in ("cuts", "log_mel")}
            for count, cut in enumerate(CutSet.from_shar(fields=fields)):
                if count == a_shard:
                    break
                found.append((cut.id, cut.load_log_mel().astype(np.float32)))
    return found[:_PICTURED_CLIPS]


def _draw_histograms(figure: Any, description: CorpusDescription, entries: Sequence[Entry]) -> None:
    hours, pitch, velocity, length, level = figure.subplots(1, 5)
    timbres = sorted(description.timbres, key=lambda timbre: timbre.seconds)[-_BARS:]
    hours.barh([timbre.name[:24] for timbre in timbres], [timbre.seconds / 60 for timbre in timbres])
    hours.set_title(f"minutes a timbre ({len(timbres)} of {len(description.timbres)})", fontsize=9)
    hours.tick_params(axis="y", labelsize=5)
    pitches = [entry.pitch for entry in entries if entry.voiced]
    for axes, values, title in (
        (pitch, pitches, "pitch (MIDI note)"),
        (velocity, [entry.velocity for entry in entries], "velocity"),
        (length, [entry.seconds for entry in entries], "length (s)"),
        (level, [entry.level_db for entry in entries], "momentary level (dB)"),
    ):
        axes.hist(values, bins=40)
        axes.set_title(title, fontsize=9)
