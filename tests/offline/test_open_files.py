"""Sounds and scores written to files that are open, in any format."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import TinyModel

import cmaudio
from cmaudio.errors import CmaudioError
from cmaudio.score.events import NoteOff, NoteOn, Score
from cmaudio.score.midi_file import parse_midi, write_midi

NOTE = Score("a", [(0.0, NoteOn(0, 60, 90, 0)), (0.1, NoteOff(0, 60))], 0.1, [0])
FORMATS = [(None, "WAV"), ("wav", "WAV"), ("FLAC", "FLAC"), ("ogg", "OGG"), (".opus", "OGG"), ("mp3", "MP3")]


@pytest.mark.parametrize(("given", "written"), FORMATS)
def test_a_score_is_rendered_to_an_open_file(tiny: TinyModel, given: str | None, written: str) -> None:
    file = io.BytesIO()
    sound = cmaudio.render(NOTE, file, model=tiny.model, format=given, tail=0.1)
    with soundfile.SoundFile(io.BytesIO(file.getvalue())) as read:
        assert (read.format, read.channels) == (written, 2)
        assert len(read.read()) >= len(sound)


def test_the_name_of_an_open_file_says_the_format(tiny: TinyModel, tmp_path: Path) -> None:
    with (tmp_path / "a.FLAC").open("wb") as file:
        sound = cmaudio.render_pattern([60], 1, file, model=tiny.model, tail=0)
    samples, _ = soundfile.read(tmp_path / "a.FLAC")
    assert soundfile.info(tmp_path / "a.FLAC").format == "FLAC"
    np.testing.assert_allclose(samples, sound, atol=2**-22)


def test_speech_is_written_to_an_open_file() -> None:
    file = io.BytesIO()
    spoken = cmaudio.speak("One.", file, model="en")
    samples, rate = soundfile.read(io.BytesIO(file.getvalue()))
    assert (len(samples), rate) == (len(spoken.audio), spoken.sample_rate)


def test_after_an_error_nothing_is_written(tiny: TinyModel) -> None:
    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    file = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        cmaudio.render(NOTE, file, model=tiny.model, on_progress=stop)
    assert not file.getvalue()


def test_a_file_that_fails_is_an_error_with_the_remedy(tiny: TinyModel) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            if data:
                raise OSError(28, "No space left on device")
            return 0

    with pytest.raises(CmaudioError, match="No space left"):
        cmaudio.render(NOTE, Full(), model=tiny.model, tail=0)


def test_a_score_is_written_to_an_open_file() -> None:
    file = io.BytesIO()
    write_midi(file, NOTE)
    assert [event.pitch for _, event in parse_midi(file.getvalue(), "").events if isinstance(event, NoteOn)] == [60]
