"""FluidSynth as a player of notes, and the choice of a player."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmaudio.errors import CmaudioError
from cmaudio.soundfont import fluid
from cmaudio.soundfont import open as opening
from cmaudio.soundfont.fluid import FluidSoundFont
from cmaudio.soundfont.open import open_player, open_reference
from cmaudio.soundfont.player import PLACES, bend_position

RATE = 48_000
SOUNDFONT = next((place for place in PLACES if place.is_file()), None)
needs_fluidsynth = pytest.mark.skipif(
    SOUNDFONT is None or not fluid.is_installed(), reason="needs libfluidsynth3 and a SoundFont"
)


@pytest.fixture(scope="module")
def font() -> FluidSoundFont:
    assert SOUNDFONT is not None
    return FluidSoundFont(SOUNDFONT, RATE)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


@needs_fluidsynth
def test_a_note_begins_at_once_and_again_the_same(font: FluidSoundFont) -> None:
    first = font.note(0, 60, 100, 10_001)
    again = font.note(0, 60, 100, 10_001)
    np.testing.assert_array_equal(first[64:], again[64:])  # the first block fades in from what was before
    assert np.flatnonzero(np.abs(first) > 1e-3)[0] < 0.01 * RATE


@needs_fluidsynth
@pytest.mark.parametrize(("program", "least_db"), [(0, 20), (24, 20), (48, 12), (60, 20)])
def test_velocity_has_the_range_that_the_file_asks_for(font: FluidSoundFont, program: int, least_db: float) -> None:
    soft, loud = (level_db(font.note(program, 60, velocity, RATE // 2)) for velocity in (20, 120))
    assert loud - soft > least_db


@needs_fluidsynth
def test_bends_and_drums_and_silence(font: FluidSoundFont) -> None:
    font.select(73)
    font.bend(12)
    font.on(60, 100)
    spectrum = np.abs(np.fft.rfft(font.read(RATE)[RATE // 2 :] * np.hanning(RATE // 2)))
    assert 2 * spectrum.argmax() == pytest.approx(2 * 523.25, rel=0.01)  # the flute's second partial, of C5
    font.silence()
    assert not font.read(RATE // 10).any()
    font.select_drums()
    font.on(38, 100)
    assert level_db(font.read(RATE // 10)) > -50
    font.silence()


@pytest.mark.parametrize(("semitones", "position"), [(0, 8192), (12, 16383), (-12, 1), (99, 16383), (-99, 0)])
def test_the_wheel_stays_in_its_range(semitones: float, position: int) -> None:
    assert bend_position(semitones) == position


@needs_fluidsynth
def test_a_file_that_cannot_be_played_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.sf2"
    bad.write_bytes(b"RIFF")
    with pytest.raises(CmaudioError, match=r"cannot load .*bad\.sf2"):
        FluidSoundFont(bad, RATE)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fluid, "library", lambda: None)
    (tmp_path / "font.sf2").write_bytes(b"RIFF")
    with pytest.raises(CmaudioError, match="apt install libfluidsynth3"):
        open_player(tmp_path / "font.sf2", RATE, "fluidsynth")
    with pytest.raises(CmaudioError, match="no SoundFont"):
        open_reference(tmp_path / "missing.sf2", RATE, None)
    monkeypatch.setattr(opening, "find_soundfont", lambda path: None)
    assert "--soundfont" in str(open_reference(None, RATE, None))
