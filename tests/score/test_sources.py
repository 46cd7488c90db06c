"""Scores from whatever music is kept in."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import mido
import pytest

from cmaudio.errors import CmaudioError
from cmaudio.score.events import NoteOn, Score
from cmaudio.score.sources import score_from


def a_note() -> mido.MidiFile:
    file = mido.MidiFile()
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.Message("note_on", note=60, velocity=90, time=0))
    track.append(mido.Message("note_off", note=60, time=480))
    return file


def content() -> bytes:
    written = io.BytesIO()
    a_note().save(file=written)
    return written.getvalue()


def pitches(score: Score) -> list[int]:
    return [event.pitch for _, event in score.events if isinstance(event, NoteOn)]


@pytest.mark.parametrize(
    "source",
    [content(), bytearray(content()), io.BytesIO(content()), a_note(), score_from(content())],
    ids=["bytes", "bytearray", "file", "mido", "score"],
)
def test_every_source_gives_its_notes(source: Any) -> None:
    assert pitches(score_from(source)) == [60]


def test_paths_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "song.mid").write_bytes(content())
    assert pitches(score_from("~/song.mid")) == [60]


def test_a_music21_stream_gives_its_notes() -> None:
    music21 = pytest.importorskip("music21")
    stream = music21.stream.Stream([music21.note.Note("E4", quarterLength=1)])
    assert pitches(score_from(stream)) == [64]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (12, "not int"),
        (io.BytesIO(b""), "MIDI bytes: is not a MIDI file"),
        (io.StringIO("MThd"), "binary mode"),
        (b"RIFF", "not a MIDI file"),
        (None, "not NoneType"),
        (mido.MidiTrack(), "not MidiTrack"),
        (mido.Message("note_on"), "not Message"),
    ],
)
def test_anything_else_is_named(source: Any, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        score_from(source)
