"""What was played is remembered, kept after the fact, and recorded so that nothing but the last second can be lost."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.take import Take
from cmaudio.model.file import Model
from cmaudio.score.events import AllNotesOff, ChannelGain, Event, NoteOff, NoteOn, PitchBend, Sustain
from cmaudio.score.midi_file import read_midi
from cmaudio.score.track import MidiTrackFile


def perform(recorder: Recorder, seconds: float = 1.5) -> np.ndarray:
    """A fifth with a bend and a pedal; returns what was heard."""
    engine, rate = recorder.engine, recorder.sample_rate
    start = recorder.made_samples
    low = engine.note_on(57, 90, timbre="violin", seed=1, at=start + rate // 10)
    high = engine.note_on(64, 70, timbre="violin", seed=2, at=start + rate // 2)
    engine.bend(0.5, at=start + rate * 6 // 10)
    engine.sustain(True, at=start + rate * 7 // 10)
    low.off(at=start + rate * 8 // 10)
    high.off(at=start + rate)
    engine.sustain(False, at=start + rate * 11 // 10)
    engine.bend(0, at=start + rate * 12 // 10)
    return np.concatenate([recorder.read(1024) for _ in range(round(seconds * rate) // 1024)])


def test_keep_writes_sound_and_events(model: Model, tmp_path: Path) -> None:
    recorder = Recorder(Engine(model))
    heard = perform(recorder)
    recorder.keep(tmp_path / "kept.wav")
    kept, rate = soundfile.read(tmp_path / "kept.wav", dtype="float32")
    assert rate == recorder.sample_rate
    np.testing.assert_allclose(kept, heard, atol=1e-4)
    score = read_midi(tmp_path / "kept.mid")
    delay = recorder.engine.latency_samples / rate
    notes = [(t, e) for t, e in score.events if isinstance(e, NoteOn | NoteOff)]
    times = [0.1, 0.5, 0.8, 1.0]
    np.testing.assert_allclose([t for t, _ in notes], [t + delay for t in times], atol=1e-3)
    violin = next(program for program, name in model.programs.items() if name == "violin")
    assert [e for _, e in notes] == [
        NoteOn(0, 57, 90, violin),
        NoteOn(0, 64, 70, violin),
        NoteOff(0, 57),
        NoteOff(0, 64),
    ]
    assert [e.down for _, e in score.events if isinstance(e, Sustain)] == [True, False]
    assert [round(e.semitones, 2) for _, e in score.events if isinstance(e, PitchBend)] == [0.5, 0.0]
    loud = np.flatnonzero(np.abs(kept) > 0.02 * np.abs(kept).max())[0] / rate
    assert loud >= notes[0][0] - 0.005, "the sound begins where the note is written"


def test_memory_is_limited_to_its_length(model: Model, tmp_path: Path) -> None:
    recorder = Recorder(Engine(model), seconds=1)
    first = perform(recorder)
    rest = np.concatenate([recorder.read(4096) for _ in range(140)])
    last = perform(recorder)
    everything = np.concatenate([first, rest, last])
    recorder.keep(tmp_path / "last.flac")
    kept, rate = soundfile.read(tmp_path / "last.flac", dtype="float32")
    assert len(kept) == rate
    np.testing.assert_allclose(kept, everything[-rate:], atol=1e-4)
    recorder.keep(tmp_path / "half.wav", seconds=0.5)
    assert soundfile.info(tmp_path / "half.wav").frames == rate // 2
    for path in ("last.mid", "half.mid"):
        ons = [m.note for m in mido.MidiFile(tmp_path / path) if m.type == "note_on"]
        offs = [m.note for m in mido.MidiFile(tmp_path / path) if m.type == "note_off"]
        assert sorted(ons) == sorted(offs), "no note is left hanging and none is ended that did not begin"


def test_keep_refuses_what_it_cannot_write(model: Model, tmp_path: Path) -> None:
    recorder = Recorder(Engine(model))
    with pytest.raises(CmaudioError, match="nothing has been played yet"):
        recorder.keep(tmp_path / "a.wav")
    recorder.read(1000)
    with pytest.raises(CmaudioError, match="seconds must be"):
        recorder.keep(tmp_path / "a.wav", seconds=1e9)
    with pytest.raises(CmaudioError, match="aiff"):
        recorder.keep(tmp_path / "a.aiff")
    with pytest.raises(CmaudioError, match="there is no folder"):
        recorder.keep(tmp_path / "none" / "a.wav")


@pytest.mark.parametrize("name", ["kept.mid", "take.mid"])
def test_notes_that_are_held_already_begin_with_the_file(name: str, model: Model, tmp_path: Path) -> None:
    recorder = Recorder(Engine(model))
    rate = recorder.sample_rate
    recorder.engine.note_on(57, 90, timbre="violin").off(at=rate * 3 // 2)
    recorder.engine.note_on(60, 90, timbre="violin").off(at=rate // 4)
    recorder.read(rate)
    with Take(recorder, tmp_path / "take.wav"):
        recorder.read(rate)
        recorder.keep(tmp_path / "kept.wav", 1.0)
    notes = [(t, e) for t, e in read_midi(tmp_path / name).events if isinstance(e, NoteOn | NoteOff)]
    assert [(type(e), e.pitch) for _, e in notes] == [(NoteOn, 57), (NoteOff, 57)]
    np.testing.assert_allclose([t for t, _ in notes], [0.0, 0.5], atol=0.03)


def test_panic_ends_the_notes_in_the_file_too(model: Model, tmp_path: Path) -> None:
    recorder = Recorder(Engine(model))
    recorder.engine.note_on(60, timbre="violin")
    recorder.engine.sustain(True)
    recorder.read(recorder.sample_rate // 2)
    recorder.engine.panic()
    recorder.read(recorder.sample_rate // 2)
    recorder.keep(tmp_path / "a.wav")
    off = [t for t, e in read_midi(tmp_path / "a.mid").events if isinstance(e, NoteOff)]
    assert len(off) == 1
    assert off[0] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_take_holds_the_sound_since_its_start(model: Model, tmp_path: Path, suffix: str) -> None:
    recorder = Recorder(Engine(model))
    perform(recorder, 0.5)
    with Take(recorder, tmp_path / f"take{suffix}") as take:
        heard = perform(recorder)
    assert not take.running
    samples, _ = soundfile.read(take.path, dtype="float32")
    np.testing.assert_allclose(samples, heard, atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["take.mid", f"take{suffix}"])
    struck = [t for t, e in read_midi(tmp_path / "take.mid").events if isinstance(e, NoteOn)]
    assert struck[-1] == pytest.approx(0.5 + recorder.engine.latency_samples / recorder.sample_rate, abs=1e-3)


@pytest.mark.parametrize(("name", "kind"), [("a.WAV", "WAV"), ("a.Flac", "FLAC")])
def test_the_ending_of_a_take_may_be_in_capitals(model: Model, tmp_path: Path, name: str, kind: str) -> None:
    recorder = Recorder(Engine(model))
    take = Take(recorder, tmp_path / name)
    recorder.read(9600)
    take.stop()
    assert soundfile.info(tmp_path / name).format == kind


def test_take_overwrites_no_file(model: Model, tmp_path: Path) -> None:
    recorder = Recorder(Engine(model))
    (tmp_path / "old.mid").write_text("mine")
    with pytest.raises(CmaudioError, match=r"old\.mid exists already"):
        Take(recorder, tmp_path / "old.wav")
    assert (tmp_path / "old.mid").read_text() == "mine"
    with pytest.raises(CmaudioError, match=r"must be \.wav or \.flac, not '\.mp3'"):
        Take(recorder, tmp_path / "new.mp3")
    with pytest.raises(CmaudioError, match="cannot be written"):
        Take(recorder, tmp_path / "none" / "new.wav")


@pytest.mark.parametrize("existing", ["a.wav", "a.mid"])
def test_keep_overwrites_no_file(model: Model, tmp_path: Path, existing: str) -> None:
    recorder = Recorder(Engine(model))
    recorder.read(1000)
    (tmp_path / existing).write_text("mine")
    with pytest.raises(CmaudioError, match="exists already"):
        recorder.keep(tmp_path / "a.wav")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(existing, "mine")]


def test_failed_start_of_a_take_leaves_no_file(model: Model, tmp_path: Path) -> None:
    (tmp_path / "new.mid").symlink_to(tmp_path / "none" / "new.mid")
    with pytest.raises(CmaudioError, match=r"new\.mid: cannot be written"):
        Take(Recorder(Engine(model)), tmp_path / "new.wav")
    assert not (tmp_path / "new.wav").exists()


def test_a_full_disk_ends_the_take_and_not_the_sound(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, told = Recorder(Engine(model)), list[str]()
    take = Take(recorder, tmp_path / "take.wav", told.append)
    perform(recorder, 0.5)
    while take.seconds < 0.4:
        time.sleep(0.05)

    def full(self: Any, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(wave.Wave_write, "writeframes", full)
    perform(recorder, 0.5)
    while take.running:
        time.sleep(0.05)
    monkeypatch.undo()
    assert "the recording ended after 0." in told[0]
    assert "No space left" in told[0]
    with pytest.raises(CmaudioError, match="No space left"):
        take.stop()
    assert soundfile.info(tmp_path / "take.wav").frames >= 0.4 * recorder.sample_rate
    assert np.abs(perform(recorder)).max() > 0.01, "it still sounds"
    recorder.keep(tmp_path / "kept.wav")  # and nothing was lost


_ENDLESS = """
import sys, time
from pathlib import Path
from cmaudio.engine.engine import Engine
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.take import Take
recorder = Recorder(Engine())
take = Take(recorder, Path(sys.argv[1]))
began, pitch = time.monotonic(), 48
while True:
    note = recorder.engine.note_on(pitch, timbre="violin")
    for _ in range(10):
        recorder.read(2400)
        time.sleep(max(0, recorder.made_samples / recorder.sample_rate - (time.monotonic() - began)))
    note.off()
    pitch = 48 + (pitch - 47) % 24
    print(recorder.made_samples, flush=True)
"""


def test_kill_loses_at_most_a_second(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _ENDLESS, str(tmp_path / "take.flac")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    made = [int(process.stdout.readline()) for _ in range(6)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    info = soundfile.info(tmp_path / "take.wav")  # flac is made at the end, which there was none of
    assert info.frames >= made[-1] - info.samplerate
    score = read_midi(tmp_path / "take.mid")
    assert not [text for text in score.notices if "damaged" in text]
    struck = [t for t, e in score.events if isinstance(e, NoteOn)]
    assert len(struck) >= 6 - 2
    assert mido.MidiFile(tmp_path / "take.mid").length >= made[-1] / info.samplerate - 1


channels = st.integers(0, 15)
keys = st.integers(0, 127)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(NoteOn, channels, keys, st.integers(1, 127), keys),
    st.builds(NoteOff, channels, keys),
    st.builds(Sustain, channels, st.booleans()),
    st.builds(PitchBend, channels, st.floats(-24, 24)),
    st.builds(ChannelGain, channels, st.floats(0, 4)),
    st.builds(AllNotesOff, channels),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 30), EVENTS, st.booleans()), max_size=40))
def test_a_growing_midi_file_is_whole_after_every_flush(tmp_path_factory: Any, steps: list[Any]) -> None:
    path = tmp_path_factory.mktemp("track") / "a.mid"
    now, notes = 0.0, list[tuple[float, int, int]]()
    with MidiTrackFile(path) as track:
        for later, event, flush in steps:
            now += later
            track.add(now, event)
            if isinstance(event, NoteOn):
                notes.append((now, event.channel, event.pitch))
            if flush:
                track.flush(now + 0.5)
                now += 0.5
                found, at = [], 0.0
                for message in mido.MidiFile(path):
                    at += message.time
                    if message.type == "note_on":
                        found.append((at, message.channel, message.note))
                assert [row[1:] for row in found] == [row[1:] for row in notes]
                np.testing.assert_allclose([row[0] for row in found], [row[0] for row in notes], atol=1e-3)
                assert at == pytest.approx(now, abs=1e-3)
