"""Rendering scores and MIDI files to samples and sound files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline.render import render
from cmaudio.score.arrangement import arrange
from cmaudio.score.events import PERCUSSION_CHANNEL, NoteOff, NoteOn, Score
from cmaudio.score.midi_file import read_midi, write_midi
from cmaudio.score.pieces import builtin_piece
from cmaudio.signal.dsp import Float

RATE = 48_000


def notes(*programs: int, channel: int = 0, length: float = 0.2) -> Score:
    """One note after another, each of another program (or, on the percussion channel, each another key)."""
    events: list[Any] = []
    drums = channel == PERCUSSION_CHANNEL
    for index, program in enumerate(programs):
        key = program if drums else 60
        events.append((index * length, NoteOn(channel, key, 100, 0 if drums else program)))
        events.append((index * length + length, NoteOff(channel, key)))
    used = list(programs)
    return Score("notes", events, len(programs) * length, [] if drums else used, used if drums else [])


def test_builtin_piece_from_file_to_file(model: Model, tmp_path: Path) -> None:
    piece, progress, notices = builtin_piece(), list[float](), list[str]()
    write_midi(tmp_path / "song.mid", piece)
    found = render(
        tmp_path / "song.mid",
        tmp_path / "song.wav",
        model=model,
        on_progress=progress.append,
        on_notice=notices.append,
    )
    assert found.dtype == np.float32
    assert piece.duration <= len(found) / RATE <= piece.duration + 4.01
    assert 0.05 < np.abs(found).max() <= 1
    for start in range(0, int(piece.duration) * RATE, RATE):
        assert np.abs(found[start : start + RATE]).max() > 0.005
    assert notices == []
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(len(found) / RATE)
    written, rate = soundfile.read(tmp_path / "song.wav", dtype="float64")
    assert rate == RATE
    assert soundfile.info(tmp_path / "song.wav").subtype == "PCM_24"
    np.testing.assert_allclose(written, found, atol=2**-23)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["song.mid", "song.wav"]


def test_same_seed_same_samples(model: Model) -> None:
    one, same, other = (render(notes(40, 0), model=model, seed=seed, tail=0) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-4


def test_a_rendering_starts_on_time(model: Model) -> None:
    found = render(notes(56), model=model)
    assert np.abs(found[:48]).max() > 0 or np.abs(found[:480]).max() > 1e-4
    engine = Engine(model)
    engine.note_on(60, 100, timbre="trumpet", at=0).off(at=9600)
    np.testing.assert_allclose(found[:9600], engine.read(9664)[64:], atol=1e-4)


def test_tail_is_as_long_as_asked_and_no_longer_than_it_sounds(model: Model) -> None:
    score = notes(11, 11)
    whole = render(score, model=model, tail=10)
    assert score.duration + 0.1 < len(whole) / RATE < score.duration + 8
    assert np.abs(whole[-64:]).max() < 10 ** (-75 / 20)
    for tail in (0, 0.1):
        cut = render(score, model=model, tail=tail)
        assert len(cut) == round((score.duration + tail) * RATE)
        np.testing.assert_allclose(cut, whole[: len(cut)], atol=1e-4)


def test_nothing_to_play_is_silence(model: Model) -> None:
    assert not render(Score("rest", [], 0.5), model=model).any()


def test_timbre_plays_everything(model: Model) -> None:
    one = render(notes(0, 0), model=model, timbre="violin", tail=0)
    np.testing.assert_array_equal(one, render(notes(40, 40), model=model, tail=0))


# -- what the model lacks --------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(model: Model) -> Model:
    """The embedded model without its last programs and without drums."""
    kept = [timbre for timbre in model.manifest.timbres if timbre.program is not None and timbre.program < 96]
    return replace(model, manifest=model.manifest.model_copy(update={"timbres": kept}))


def test_missing_program_is_named_and_replaced_or_left_out(narrow: Model) -> None:
    told: list[str] = []
    found = render(notes(105), model=narrow, tail=0, on_notice=told.append)
    assert len(told) == 1
    assert "'banjo' (program 106)" in told[0]
    assert "'acoustic guitar (steel)' plays it" in told[0]
    np.testing.assert_array_equal(found, render(notes(25), model=narrow, tail=0))

    told.clear()
    assert not render(notes(105), model=narrow, missing="omit", on_notice=told.append).any()
    assert "'banjo' (program 106): its notes are left out" in told[0]


def test_percussion_is_named_and_left_out_or_replaced(narrow: Model) -> None:
    drums, told = notes(36, 42, channel=PERCUSSION_CHANNEL), list[str]()
    assert not render(drums, model=narrow, on_notice=told.append).any()
    assert len(told) == 1
    assert "bass drum 1, closed hi-hat left out" in told[0]
    told.clear()
    found = render(drums, model=narrow, percussion="nearest", on_notice=told.append)
    assert found.any()
    assert "closed hi-hat left out" in told[0]
    assert "bass drum 1 by 'timpani'" in told[1]
    arranged = arrange(drums, narrow, percussion="nearest")
    assert [type(event) for _, event in arranged.score.events] == [NoteOn, NoteOff]
    assert drums.percussion == [36, 42]


# -- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.wav", "out.flac"])
def test_failed_render_leaves_no_partial_file(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    read, calls = Engine.read, list[int]()

    def fail_later(engine: Engine, samples: int) -> Float:
        calls.append(samples)
        if len(calls) > 4:
            raise ZeroDivisionError("halfway")
        return read(engine, samples)

    monkeypatch.setattr(Engine, "read", fail_later)
    for before in (None, b"an older recording"):
        calls.clear()
        if before:
            (tmp_path / name).write_bytes(before)
        with pytest.raises(ZeroDivisionError):
            render(notes(0, 1, 2), tmp_path / name, model=model)
        assert len(calls) == 5
        assert [path.read_bytes() for path in tmp_path.iterdir()] == ([before] if before else [])


def test_progress_that_stops_leaves_no_file(model: Model, tmp_path: Path) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(notes(0), tmp_path / "out.wav", model=model, on_progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timbre": "vilion"}, "unknown timbre 'vilion'.*'violin'"),
        ({"tail": -1}, "tail .* 0 to 600 .* not -1"),
        ({"tail": float("nan")}, "tail .* not nan"),
        ({"steps": 3}, "steps .* not 3"),
        ({"polyphony": 0}, "polyphony .* not 0"),
        ({"seed": -1}, "seed .* not -1"),
        ({"missing": "never"}, "missing .* 'nearest' or 'omit', not 'never'"),
        ({"percussion": "loud"}, "percussion .* not 'loud'"),
        ({"path": "out.aiff"}, r"out.aiff.*\.aiff.*\.wav"),
        ({"model": "theremin"}, "no model 'theremin'"),
    ],
    ids=str,
)
def test_bad_values_are_named(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CmaudioError, match=message):
        render(notes(0), **{"path": "out.wav", "model": model, **settings})
    assert list(tmp_path.iterdir()) == []


def test_missing_song(model: Model, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="no such file"):
        render(tmp_path / "none.mid", model=model)


# -- a real piece ----------------------------------------------------------------------------------------------------


def test_bach_chorale(model: Model, tmp_path: Path) -> None:
    music21 = pytest.importorskip("music21", reason="needs music21 for its corpus of chorales")
    chorale = music21.corpus.parse("bwv66.6")
    chorale.write("midi", tmp_path / "chorale.mid")
    score = read_midi(tmp_path / "chorale.mid")
    assert 15 < score.duration < 60
    assert sum(isinstance(event, NoteOn) for _, event in score.events) > 100
    first = replace(score, events=[pair for pair in score.events if pair[0] < 6], duration=6.0)
    found = render(first, model=model, timbre="church organ", tail=0, channels=1)
    assert 0.02 < np.abs(found).max() <= 1
    # The first chord is A major: its pitch classes hold most of the strongest partials.
    spectrum = np.abs(np.fft.rfft(found[4800 : 4800 + 16_384] * np.hanning(16_384)))
    hz = np.fft.rfftfreq(16_384, 1 / RATE)
    peaks = [i for i in range(20, 400) if spectrum[i] == spectrum[i - 4 : i + 5].max()]
    peaks.sort(key=lambda i: -spectrum[i])
    classes = [round(12 * np.log2(hz[i] / 440)) % 12 for i in peaks[:5]]
    assert set(classes) & {0, 4, 7}
