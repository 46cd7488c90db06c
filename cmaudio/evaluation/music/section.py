"""Music: pieces rendered by the model and by FluidSynth with the same SoundFont.

Levels are compared after one common gain for all pieces. Both renderings are without effects and limiter, and panned to
the centre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from cmaudio.evaluation.context import EvaluationContext, Figures, level_db, not_measured
from cmaudio.evaluation.music import fluidsynth
from cmaudio.evaluation.music.likeness import octave_differences_db, onset_flux_db
from cmaudio.evaluation.music.pieces import PIECES
from cmaudio.model.file import Model
from cmaudio.offline.render import render
from cmaudio.score.events import NoteOn, Score
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import SoundFont

TARGET_LEVEL_DB, TARGET_FLUX, TARGET_OCTAVE_DB = 3.0, 0.8, 5.0
_TAIL_SECONDS = 1.0
_CONTROLS = {"spread": 0.0}  # keyboards and drums in the centre


def measure_music(context: EvaluationContext) -> Figures:
    """Level, onset flux and octave balance of each piece, and the levels of its parts in the mix."""
    if isinstance(context.soundfont, str):
        return not_measured(context.soundfont)
    if not fluidsynth.is_installed():
        return not_measured("FluidSynth is missing: apt install fluidsynth")
    pieces = {}
    for write in PIECES[:1] if context.quick else PIECES:
        score = write()
        context.progress(f"music: {score.name}")
        pieces[score.name] = _played(context.model, context.soundfont, score)
    gain = float(np.mean([piece.whole.level_db for piece in pieces.values()]))
    return {
        "targets": {"level_db": TARGET_LEVEL_DB, "flux": TARGET_FLUX, "octave_db": TARGET_OCTAVE_DB},
        "gain_db": round(gain, 2),
        "pieces": {name: piece.figures(gain) for name, piece in pieces.items()},
    }


@dataclass(frozen=True)
class Pair:
    """(N,) samples of both renderings of a piece, or of one of its parts."""

    ours: Float
    theirs: Float

    @property
    def level_db(self) -> float:
        """Ours over theirs."""
        return level_db(self.ours) - level_db(self.theirs)


@dataclass(frozen=True)
class Piece:
    """A piece in both renderings, its parts by name, and its onsets in seconds."""

    whole: Pair
    parts: dict[str, Pair]
    onsets: list[float]
    sample_rate: int

    def figures(self, gain_db: float) -> Figures:
        """Levels relative to the common gain of all pieces."""
        octaves = octave_differences_db(self.whole.ours, self.whole.theirs, self.sample_rate)
        ours, theirs = (
            onset_flux_db(signal, self.sample_rate, self.onsets) for signal in (self.whole.ours, self.whole.theirs)
        )
        return {
            "level_db": round(self.whole.level_db - gain_db, 2),
            "flux": round(ours / theirs, 3),
            "octave_max_db": round(max(map(abs, octaves.values())), 2),
            "octaves_db": {f"{hz:g}": round(value, 2) for hz, value in octaves.items()},
            "parts_db": {name: round(pair.level_db - gain_db, 2) for name, pair in self.parts.items()},
        }


def _played(model: Model, soundfont: SoundFont, score: Score) -> Piece:
    rate = model.manifest.sample_rate
    samples = round((score.duration + _TAIL_SECONDS) * rate)
    stems = {name: _long(stem, samples) for name, stem in _stems(model, score).items()}
    alone = {
        name: _long(fluidsynth.play(part, soundfont.path, rate), samples) for name, part in parts_of(score).items()
    }
    parts = {name: Pair(stems[name], alone[name]) for name in stems}
    whole = Pair(np.sum(list(stems.values()), 0), np.sum(list(alone.values()), 0))
    onsets = sorted({time for time, event in score.events if isinstance(event, NoteOn)})
    return Piece(whole, parts, onsets, rate)


def parts_of(score: Score) -> dict[str, Score]:
    """Each channel separately, by its number in two digits."""
    channels = sorted({event.channel for _, event in score.events})
    return {
        f"{channel + 1:02}": replace(score, events=[pair for pair in score.events if pair[1].channel == channel])
        for channel in channels
    }


def _stems(model: Model, score: Score) -> dict[str, Float]:
    """Our rendering of each channel, (N,) samples by its number."""
    with TemporaryDirectory(prefix="cmaudio-") as folder:
        render(score, model=model, tail=_TAIL_SECONDS, controls=_CONTROLS, stems=folder)
        files = [path for path in sorted(Path(folder).iterdir()) if path.stem[:2].isdigit()]
        read = {path.stem[:2]: soundfile.read(path, dtype="float32", always_2d=True)[0] for path in files}
    return {name: np.asarray(sides.mean(1), np.float32) for name, sides in read.items()}


def _long(signal: Float, samples: int) -> Float:
    """(N,) padded with silence to this length."""
    return np.pad(signal[:samples], (0, max(0, samples - len(signal))))


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
