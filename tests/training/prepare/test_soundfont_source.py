"""Notes of a SoundFont as clips."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")

from fixtures.sound_folder import TINY

from cmaudio.cli.prepare import app
from cmaudio.errors import CmaudioError
from cmaudio.model.correction import VELOCITIES
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS
from cmaudio.soundfont.player import PLACES
from cmaudio.training.prepare.notes import EVALUATION_NOTES, NoteSampler, every_key, key_range, parse_programs
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.writer import write_corpus


def plan(**changes: Any) -> NoteSampler:
    fields: dict[str, Any] = {
        "notes": 300, "held_out": 40, "seed": 3, "programs": range(128), "sustained": [16, 40], "drum_keys": [36, 38],
        "drum_share": 0.1, "short_share": 0.25, "long_share": 0.1,
    }  # fmt: skip
    return NoteSampler(**(fields | changes))


def test_training_and_held_out_notes_are_disjoint() -> None:
    from cmaudio.soundfont.notes import draw_gesture

    notes = plan(notes=4000, programs=[0], drum_keys=[]).draw()
    held = {note.struck for note in notes["held_out"]}
    held |= {(g.program, g.pitch, g.velocity) for g in map(draw_gesture, range(EVALUATION_NOTES))}
    assert not held & {note.struck for note in notes["train"]}
    assert notes == plan(notes=4000, programs=[0], drum_keys=[]).draw()


def test_notes_have_the_requested_shares() -> None:
    notes = plan(notes=2000).draw()["train"]
    long = [note for note in notes if note.gate_seconds >= 10]
    assert 0.06 < len(long) / len(notes) < 0.12
    assert {note.program for note in long} == {16, 40}
    assert 0.07 < np.mean([note.program is None for note in notes]) < 0.13
    assert 0.2 < np.mean([note.seconds == 1.37 for note in notes]) < 0.3
    assert {note.program for note in notes} == {None, *range(128)}


def test_every_key_is_recorded_at_every_velocity_of_a_table() -> None:
    given = every_key([0, 33], [36, 38])
    struck = {note.struck for note in given}
    assert len(struck) == len(given) == len(VELOCITIES) * (73 + 41 + 2)
    assert {(None, 38, round(velocity)) for velocity in VELOCITIES} <= struck
    assert {pitch for program, pitch, _ in struck if program == 33} == set(key_range(33))
    notes = plan(notes=5, programs=[0, 33], given=given).draw()
    assert len(notes["train"]) == len(given) + 5
    assert not {note.struck for note in notes["held_out"] if note.program is not None} & {
        note.struck for note in notes["train"]
    }


def test_a_corpus_of_no_notes_is_refused(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    (tmp_path / "a.sf2").write_bytes(b"RIFF")
    done = CliRunner().invoke(app, ["soundfont", str(tmp_path / "a.sf2"), "-o", str(tmp_path / "c"), "--notes", "0"])
    assert isinstance(done.exception, CmaudioError)
    assert "--every-key" in str(done.exception)


def test_program_ranges_are_parsed() -> None:
    assert parse_programs("1-3, 128") == [0, 1, 2, 127]
    assert parse_programs("") == []
    for wrong in ("0", "5-3", "129", "piano"):
        with pytest.raises(ValueError, match=r".*"):
            parse_programs(wrong)


SOUNDFONT = next((place for place in PLACES if place.is_file()), None)
needs_soundfont = pytest.mark.skipif(
    SOUNDFONT is None or importlib.util.find_spec("tinysoundfont") is None, reason="no SoundFont or no tinysoundfont"
)


@needs_soundfont
def test_soundfont_notes_and_drums(tmp_path: Path) -> None:
    from lhotse import CutSet

    from cmaudio.training.prepare.soundfont import SoundFontSource

    assert SOUNDFONT is not None
    source = SoundFontSource(SOUNDFONT, programs=(19, 40), notes=12, held_out=3, drum_share=0.5, long_share=0)
    description, _ = write_corpus(tmp_path, source, TINY)
    assert description.gain == 4
    for timbre in description.timbres:
        if timbre.pitched:
            assert timbre.name == PROGRAMS[timbre.program or 0]
            assert timbre.sustained
        else:
            assert timbre.name == PERCUSSION[timbre.key or 0]
    kinds = {timbre.pitched for timbre in description.timbres}
    assert kinds == {True, False}
    for cut in CutSet.from_shar(in_dir=tmp_path / "train"):
        audio, track = cut.load_audio()[0], cut.load_pitch_track()
        onset = cut.custom["onset_samples"]
        assert not audio[:onset].any()
        assert np.abs(audio[onset : onset + 4000]).max() > 1e-3
        assert (track[:, 1] == float(cut.custom["timbre"] in PROGRAMS)).all()
        if cut.custom["timbre"] in PERCUSSION.values():
            assert (track[:, 0] == 60).all()


@needs_soundfont
def test_higher_velocity_makes_a_piano_louder() -> None:
    from cmaudio.soundfont.baked import BakedSoundFont

    assert SOUNDFONT is not None
    font = BakedSoundFont(SOUNDFONT, 16_000)
    levels = [momentary_level_db(font.note(0, 60, velocity, 8000), 16_000) for velocity in range(20, 128, 8)]
    assert np.diff(levels).min() > -1
    assert levels[-1] - levels[0] > 12


def test_missing_requirements_of_a_soundfont_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from cmaudio.training.prepare.soundfont import SoundFontSource

    with pytest.raises(CmaudioError, match="no SoundFont"):
        SoundFontSource(tmp_path / "missing.sf2")
    (tmp_path / "font.sf2").write_bytes(b"RIFF")
    with monkeypatch.context() as patched:
        patched.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(CmaudioError, match="pip install --no-deps tinysoundfont"):
            SoundFontSource(tmp_path / "font.sf2")
    result = CliRunner().invoke(app, ["soundfont", str(tmp_path / "font.sf2"), "-o", str(tmp_path), "--programs", "0"])
    assert isinstance(result.exception, CmaudioError)
    assert "1 to 128" in str(result.exception)
