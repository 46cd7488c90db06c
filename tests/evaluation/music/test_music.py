"""The music section of the report: its pieces as they are written, and its meters on signals that are known."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.context import EvaluationContext
from cmaudio.evaluation.music import fluidsynth, measure_music, print_music
from cmaudio.evaluation.music.likeness import octave_differences_db, onset_flux_db
from cmaudio.evaluation.music.pieces import PIECES, line
from cmaudio.evaluation.music.section import Pair, Piece, parts_of
from cmaudio.model.file import Model
from cmaudio.score.events import NoteOff, NoteOn, Score
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import SoundFont
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.renderer import Renderer

RATE = 48_000
ONSETS = [0.5, 1.0, 1.5]


def struck(decay_s: float = 0.2, gain: float = 0.1, onsets: list[float] = ONSETS) -> Float:
    """Short notes of three partials."""
    time = np.arange(2 * RATE) / RATE
    out = np.zeros(len(time))
    for onset in onsets:
        since = np.maximum(time - onset, 0)
        shape = np.where(time >= onset, np.exp(-since / decay_s), 0)
        out += gain * shape * sum(np.sin(2 * np.pi * hz * time) for hz in (100, 400, 1600))
    return out.astype(np.float32)


def test_a_part_is_read() -> None:
    assert line("C4!:1 | E4+G4:.5 r D4", 70, held=1.0) == [
        (0.0, 1.0, 60, 84), (1.0, 0.5, 64, 70), (1.0, 0.5, 67, 70), (2.0, 0.5, 62, 70),
    ]  # fmt: skip


@pytest.mark.parametrize("write", PIECES)
def test_the_parts_of_a_piece_end_together_and_every_note_ends(write: Any) -> None:
    score: Score = write()
    ends: dict[int, float] = {}
    sounding: set[tuple[int, int]] = set()
    for time, event in score.events:
        if isinstance(event, NoteOn):
            assert (event.channel, event.pitch) not in sounding, "struck while it sounds"
            sounding.add((event.channel, event.pitch))
            assert 1 <= event.velocity <= 127
        if isinstance(event, NoteOff):
            sounding.discard((event.channel, event.pitch))
            ends[event.channel] = time
    assert not sounding
    assert 10 < score.duration < 15
    pitched = [end for channel, end in ends.items() if channel != 9]
    assert max(pitched) - min(pitched) < 0.15


def test_parts_are_the_channels() -> None:
    parts = parts_of(PIECES[-1]())
    assert list(parts) == ["01", "02", "03", "04", "05", "10"]
    assert {event.channel for _, event in parts["10"].events} == {9}


def test_octaves_differ_by_what_was_filtered_and_not_by_gain() -> None:
    time = np.arange(RATE) / RATE
    low, high, faint = (np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (200, 3000, 9000))
    theirs = low + np.float32(0.1) * high + np.float32(0.001) * faint
    ours = np.float32(0.5) * (low + np.float32(0.05) * high)
    found = octave_differences_db(ours, theirs, RATE)
    assert found == pytest.approx({125.0: 0.0, 2000.0: -6.0}, abs=0.1)


def test_onsets_that_are_smeared_rise_less() -> None:
    smooth = np.hanning(RATE // 5) / (RATE // 10)
    sharp = struck()
    smeared = np.convolve(sharp, smooth, "same").astype(np.float32)
    flux = onset_flux_db(sharp, RATE, ONSETS)
    assert onset_flux_db(np.float32(0.1) * sharp, RATE, ONSETS) == pytest.approx(flux, rel=1e-3)
    assert onset_flux_db(smeared, RATE, ONSETS) < 0.8 * flux
    assert onset_flux_db(sharp, RATE, [0.75, 1.25]) < 0.2 * flux


def test_figures_leave_the_common_gain_out() -> None:
    theirs = struck()
    pair = Pair(np.float32(2) * theirs, theirs)
    figures = Piece(pair, {"01": pair}, ONSETS, RATE).figures(4.0)
    assert (figures["level_db"], figures["flux"], figures["octave_max_db"]) == pytest.approx((2.02, 1.0, 0.0), abs=0.01)
    assert figures["parts_db"] == {"01": figures["level_db"]}


def test_it_says_what_it_lacks(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer(Synthesizer(model))
    context = EvaluationContext(model, renderer, "no SoundFont", False, lambda message: None)
    assert measure_music(context) == {"not_measured": "no SoundFont"}
    monkeypatch.setattr(fluidsynth, "is_installed", lambda: False)
    font = SoundFont.__new__(SoundFont)
    assert (
        "apt install"
        in measure_music(EvaluationContext(model, renderer, font, False, lambda message: None))["not_measured"]
    )


def test_a_soundfont_that_cannot_be_played_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*arguments: Any, **options: Any) -> None:
        raise subprocess.CalledProcessError(1, "fluidsynth", stderr=b"no such preset")

    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(CmaudioError, match=r"x\.sf2 \(no such preset\); give another --soundfont"):
        fluidsynth.play(PIECES[0](), tmp_path / "x.sf2", RATE)


def test_silence_is_an_error_that_says_what_was_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def plays_nothing(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        soundfile.write(arguments[arguments.index("-F") + 1], np.zeros((100, 2)), RATE)
        return subprocess.CompletedProcess(arguments, 0, b"", b"Failed to load the SoundFont")

    monkeypatch.setattr(subprocess, "run", plays_nothing)
    with pytest.raises(CmaudioError, match=r"nothing with .*x\.sf2 \(Failed to load"):
        fluidsynth.play(PIECES[0](), tmp_path / "x.sf2", RATE)


def test_a_quick_report_plays_one_piece(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def played(score: Score, soundfont: Path, sample_rate: int) -> Float:
        onsets = [time for time, event in score.events if isinstance(event, NoteOn)]
        return struck(onsets=[onset for onset in onsets if onset < 1.9])

    monkeypatch.setattr(fluidsynth, "is_installed", lambda: True)
    monkeypatch.setattr(fluidsynth, "play", played)
    font = SoundFont.__new__(SoundFont)
    font.path = Path("x.sf2")
    figures = measure_music(EvaluationContext(model, Renderer(Synthesizer(model)), font, True, lambda message: None))
    assert list(figures["pieces"]) == ["ragtime"]
    assert figures["pieces"]["ragtime"]["level_db"] == 0
    console = Console(record=True, width=140)
    print_music(figures, console)
    assert "ragtime" in console.export_text()
