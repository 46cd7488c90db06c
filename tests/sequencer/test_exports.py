"""Patterns as MIDI files and as Python programs: the same notes at the same times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import mido
import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT, ClockRig

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.score.events import NoteOff, NoteOn
from cmaudio.score.midi_file import read_midi
from cmaudio.sequencer import (
    AutomationLane,
    GridPattern,
    GridStep,
    PatternBank,
    StepSequencer,
    as_python,
    export_midi,
    export_python,
    note_lane,
    pad_lane,
)

PATTERNS = {
    "plain": GridPattern(name="A", length=8, lanes=(note_lane("bass", [36, None, (43, 48), None, 39], gate=0.5),)),
    "ties": GridPattern(name="A", length=8, lanes=(note_lane("p", [60, "_", "_", 62, 64, "_", "_", "_"], gate=0.75),)),
    "ratchets": GridPattern(
        name="A",
        length=4,
        swing=0.3,
        lanes=(note_lane("r", [GridStep(pitches=(60,), ratchets=3, gate=0.6), None, 62]),),
    ),
    "late": GridPattern(
        name="A", length=4, lanes=(note_lane("s", [None, GridStep(pitches=(60,), shift=0.3, gate=0.4), 61, 62]),)
    ),
    "overlaps": GridPattern(
        name="A",
        length=8,
        lanes=(note_lane("o", [GridStep(pitches=(60,), gate=5.0), 62, GridStep(pitches=(64,), gate=2.5)]),),
    ),
    "two lanes": GridPattern(
        name="verse 2", length=6, division=1 / 6, swing=0.5, seed=7,
        lanes=(
            note_lane("a", [60, 61, 62], timbre="second"),
            note_lane("b", [40, None] * 3, timbre={"first": 0.5, "third": 0.5}, channel=3),
        ),
    ),
}  # fmt: skip


def notes(rig: ClockRig, beats: float) -> list[tuple[int, int, int, int]]:
    """Sample, pitch, velocity and channel of onsets, and pitches of ends."""
    rig.read_to(beats * BEAT)
    on = [(at, e.pitch, e.velocity, e.channel) for at, e in rig.events(NoteOn)]
    off = [(at, e.pitch, 0, e.channel) for at, e in rig.events(NoteOff)]
    return sorted(each for each in on + off if each[0] < (beats - 0.1) * BEAT)


@pytest.mark.parametrize("name", PATTERNS)
def test_the_program_plays_what_the_sequencer_plays(rig: ClockRig, name: str) -> None:
    pattern = PATTERNS[name]
    StepSequencer(rig.clock, PatternBank(patterns=(pattern,))).play()
    program: dict[str, Any] = {"__name__": "exported"}
    exec(as_python(pattern, rig.engine.model), program)
    other = ClockRig(rig.engine.model, polyphony=16)
    program["groove"](other.clock)
    expected, found = notes(rig, 3 * pattern.beats), notes(other, 3 * pattern.beats)
    assert len(expected) > 6
    assert len(found) == len(expected)
    for one, two in zip(expected, found, strict=True):
        assert one[1:] == two[1:]
        assert one[0] == pytest.approx(two[0], abs=2)


def test_automation_chance_and_odd_names_are_exported(rig: ClockRig) -> None:
    pattern = GridPattern(
        name='it"s', length=4,
        lanes=(note_lane("x", [GridStep(pitches=(60,), probability=0.5), GridStep(pitches=(61,), shift=-0.05)]),),
        automation=(AutomationLane(control="brightness", values={0: -1.0, 2: 2.0}), AutomationLane(control="vibrato")),
    )  # fmt: skip
    text = as_python(pattern, rig.engine.model, tempo=97.5)
    program: dict[str, Any] = {"__name__": "exported"}
    exec(text, program)
    moved: list[object] = []
    rig.clock.controls.subscribe(lambda name, value, source: moved.append((name, value)))
    program["groove"](rig.clock)
    rig.read_to(3.9 * BEAT)
    assert rig.clock.tempo == 97.5
    assert moved[:4] == [("brightness", -1.0), ("brightness", 2.0)] * 2
    assert "probability=0.5" in text


def test_the_program_runs_by_itself(tmp_path: Path, model: Model) -> None:
    drum = next(iter(model.drums.values()))
    pattern = GridPattern(name="A", length=4, lanes=(note_lane("n", [60], timbre="violin"), pad_lane(drum, "x.x.")))
    path = export_python(pattern, tmp_path / "groove.py", model, tempo=100)
    (tmp_path / "run.py").write_text(
        "import cmaudio\nfrom groove import groove\n"
        "sound = cmaudio.render_pattern(groove, 1, 'groove.wav', tail=0.1)\nprint(len(sound))\n"
    )
    done = subprocess.run([sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20_000
    assert path.read_text().endswith("synth.wait(2.4)\n")


@pytest.mark.parametrize("name", PATTERNS)
def test_a_midi_file_holds_the_same_notes(rig: ClockRig, tmp_path: Path, name: str) -> None:
    pattern = PATTERNS[name]
    export_midi(pattern, tmp_path / "a.mid", rig.engine.model, tempo=120, rounds=3)
    score = read_midi(tmp_path / "a.mid")
    written = [(seconds * 2 * BEAT, e.pitch) for seconds, e in score.events if isinstance(e, NoteOn)]
    StepSequencer(rig.clock, PatternBank(patterns=(pattern,))).play()
    rig.read_to(3 * pattern.beats * BEAT)
    assert len(written) >= 6
    for one, two in zip(sorted(rig.onsets), sorted(written), strict=False):
        assert one == pytest.approx(two, abs=16)


def test_a_midi_file_has_tracks_programs_drums_tempo_and_controllers(tmp_path: Path, model: Model) -> None:
    drum, key = next((name, key) for key, name in model.drums.items())
    pattern = GridPattern(
        name="A", length=4,
        lanes=(
            note_lane("strings", [60], timbre="violin", channel=2),
            pad_lane(drum, "X"),
            note_lane("odd", [61], timbre={"violin": 0.2, "flute": 0.8}),
        ),
        automation=(
            AutomationLane(control="brightness", values={0: 1.0}),
            AutomationLane(control="gain", values={0: 1.0}),
        ),
    )  # fmt: skip
    notices = export_midi(pattern, tmp_path / "a.mid", model, tempo=90)
    song = mido.MidiFile(tmp_path / "a.mid")
    assert [track.name for track in song.tracks] == ["A", "strings", drum, "odd", "brightness"]
    found = [message for track in song.tracks for message in track]
    assert [m.tempo for m in found if m.type == "set_tempo"] == [mido.bpm2tempo(90)]
    assert [(m.channel, m.program) for m in found if m.type == "program_change"] == [(2, 40), (0, 73)]
    assert [(m.channel, m.note, m.velocity) for m in found if m.type == "note_on"] == [
        (2, 60, 96),
        (9, key, 120),
        (0, 61, 96),
    ]
    assert [m.control for m in found if m.type == "control_change"] == [74]
    assert notices == ["'gain' has no MIDI controller: its automation is left out"]


@pytest.mark.parametrize("rounds", [0, 257])
def test_what_cannot_be_exported_is_told(tmp_path: Path, tiny: TinyModel, rounds: int) -> None:
    model = tiny.model
    with pytest.raises(CmaudioError, match="rounds"):
        export_midi(GridPattern(name="A"), tmp_path / "a.mid", model, rounds=rounds)
    for export in (export_midi, export_python):
        with pytest.raises(CmaudioError):
            export(GridPattern(name="A"), tmp_path / "none" / "a", model)
